"""Parts of reports: charts, thumbnails and HTML pages."""
