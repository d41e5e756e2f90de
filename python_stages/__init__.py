"""The Python that dbt models, hooks and the `sealtune` command call."""
