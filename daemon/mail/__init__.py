"""Mails: what they say (`letters`), in whose words (`words`), and how they reach a server (`post`)."""
