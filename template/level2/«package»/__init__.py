"""«title» An application around a model, and the pipelines around both."""
