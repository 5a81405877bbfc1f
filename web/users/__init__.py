"""What people see and change of themselves: profile, password, devices."""

from web.users import password, profile, sign_ins

BLUEPRINTS = (profile.bp, password.bp, sign_ins.bp)
