"""Will this flight arrive late? An application around a model, and the pipelines around both."""
