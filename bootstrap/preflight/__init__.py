"""What `check` looks at before a first start and after each change; nothing of it is changed."""
