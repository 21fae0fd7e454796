"""The sources of headlines, read from servers and folders of this machine."""
