"""The dashboard of `deploy/grafana`, the page that tells how to read it, and the picture on that page."""
