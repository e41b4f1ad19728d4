"""How it runs on Kafka: transport, agents, checkpoints, recovery, telemetry."""
