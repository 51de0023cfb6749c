"""What people look at: pages that compare results."""
