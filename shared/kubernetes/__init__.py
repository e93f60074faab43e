"""The application on Kubernetes: its manifests, validated and not run, and when to use them."""
