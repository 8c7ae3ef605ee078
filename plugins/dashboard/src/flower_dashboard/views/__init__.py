"""View models: what a page shows, ready for a template; page, fragment and refresh are made from the same one."""
