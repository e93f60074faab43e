"""What replicas in a swarm bring, cost and survive: docs/replicas.json, docs/replicas.md, docs/replicas.png."""
