"""What bin/start and bin/test are made of: standard library only, since it runs before anything is installed."""
