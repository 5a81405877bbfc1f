# Loads Redmine's English default data, then makes the people, roles and projects of world.json.
# Run by `rails runner`; HELPDESK_WORLD is the path of the JSON file.
require 'digest'
require 'json'

WORLD = JSON.parse(File.read(ENV.fetch('HELPDESK_WORLD')))

def set_key(user)
  Token.where(user_id: user.id, action: 'api').delete_all
  token = Token.create!(user: user, action: 'api')
  token.update_columns(value: Digest::SHA1.hexdigest(user.login))
end

def fill_user(user, language)
  user.mail = "#{user.login}@example.test"
  user.language = language
  user.mail_notification = 'none'
  user.password = user.password_confirmation = "password-#{user.login}"
  user.must_change_passwd = false
  user.pref.hide_mail = true
  user.save!
  user.pref.save!
  set_key(user)
end

def make_user(row)
  user = User.new(firstname: row['firstname'], lastname: row['lastname'])
  user.login = row['login']
  fill_user(user, row['language'])
  user.lock! if row['locked']
end

# The permissions of `base` are taken before any role is changed.
def make_role(row, base_permissions)
  base = Role.find_by!(name: row['base'])
  role = Role.find_by(name: row['name'])
  unless role
    role = Role.new
    role.copy_from(base)
    role.name = row['name']
    role.save!
    role.copy_workflow_rules(base)
  end
  role.permissions = base_permissions.fetch(row['base']) + row.fetch('add', []).map(&:to_sym) - row.fetch('remove', []).map(&:to_sym)
  role.issues_visibility = row['issues_visibility'] if row['issues_visibility']
  role.save!
end

def make_custom_field(row)
  IssueCustomField.create!(
    name: row['name'], field_format: row['format'], is_for_all: true, trackers: Tracker.all.to_a,
    visible: row['visible'], roles: Role.where(name: row['roles']).to_a
  )
end

def principal(name)
  User.find_by_login(name) || Group.find_by!(lastname: name)
end

# What `rake redmine:load_default_data REDMINE_LANG=en` does, but a failure ends this script too.
Redmine::DefaultData::Loader.load('en')

{
  'rest_api_enabled' => '1', 'issue_group_assignment' => '1', 'notified_events' => [], 'default_language' => 'en',
  'login_required' => '0', 'text_formatting' => 'textile'
}.each { |name, value| Setting[name] = value }

ActiveRecord::Base.transaction do
  fill_user(User.find_by_login('admin'), 'en')
  WORLD['users'].each { |row| make_user(row) }
  WORLD['groups'].each do |row|
    Group.create!(lastname: row['name']).users << row['users'].map { |login| User.find_by_login(login) }
  end
  base_permissions = Role.givable.to_h { |role| [role.name, role.permissions.dup] }
  WORLD['roles'].each { |row| make_role(row, base_permissions) }
  WORLD['projects'].each do |row|
    Project.create!(row.slice('identifier', 'name', 'is_public').merge('trackers' => Tracker.all.to_a))
  end
  WORLD['memberships'].each do |row|
    Member.create!(
      project: Project.find(row['project']), principal: principal(row['who']), roles: Role.where(name: row['roles']).to_a
    )
  end
  WORLD['custom_fields'].each { |row| make_custom_field(row) }
end
