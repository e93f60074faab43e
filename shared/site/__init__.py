"""The documentation as a site: the same Markdown, with navigation and search, and what links lead to as pages."""
