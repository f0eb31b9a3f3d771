-- What the application does all the while: the newest messages of a conversation, and that it was used.
\set conversation random(4096, 5095)
SELECT role, content FROM messages
 WHERE tenant_id = 'be500000-0000-7000-8000-000000000001'
   AND conversation_id = ('be500000-0000-7000-8000-' || lpad(to_hex(:conversation), 12, '0'))::uuid
 ORDER BY seq DESC LIMIT 50;
UPDATE conversations SET last_message_at = now()
 WHERE tenant_id = 'be500000-0000-7000-8000-000000000001'
   AND conversation_id = ('be500000-0000-7000-8000-' || lpad(to_hex(:conversation), 12, '0'))::uuid;
