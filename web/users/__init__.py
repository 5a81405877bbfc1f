"""What people see and change of themselves: profile, password, devices."""

from web.users import password, preferences, profile, sign_ins

BLUEPRINTS = (profile.bp, preferences.bp, password.bp, sign_ins.bp)
