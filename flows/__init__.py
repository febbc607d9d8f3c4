"""When and where does it run? Schedules, settings, the command line."""
