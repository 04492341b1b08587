"""How `read_table` turns files into readings; nothing here is public."""
