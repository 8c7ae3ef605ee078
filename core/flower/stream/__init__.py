"""Notifications for live pages."""
