"""Parts of the `deepfeatiot` command: its options, what it prints, how it fails."""
