"""What several records of one customer amount to: tickets, contacts, memberships."""
