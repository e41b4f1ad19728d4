"""What is computed: pure functions of state, event and now."""
