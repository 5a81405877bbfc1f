"""What the Redmine sources share: cursor, paging, parallel reads, names, rights."""
