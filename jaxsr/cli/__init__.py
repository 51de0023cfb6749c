"""The `jaxsr` command: one file per sub-command."""
