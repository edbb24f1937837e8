"""The changes a restaurant can make, their audit log, voice sessions, retention and analytics."""
