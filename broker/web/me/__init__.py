"""`/me` in HTTP: pages for pupils, parents and staff of what was shared of them."""
