"""Item requests: names with their quantities, sizes and modifiers, or what is said without one."""
