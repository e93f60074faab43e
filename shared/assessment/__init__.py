"""The executable maturity matrix: every claim of the models is a probe, and the table is what the probes found."""
