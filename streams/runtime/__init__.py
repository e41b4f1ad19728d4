"""How the stream runs on Kafka: transport, agents, checkpoints, recovery, telemetry."""
