"""From a registered model to production: package, stage, certify, release, test."""
