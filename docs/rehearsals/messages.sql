-- 100,000 messages in a thousand conversations of one tenant: sentences of 25 words, of which some are frequent.
INSERT INTO tenants (tenant_id, tenant_name) VALUES ('be500000-0000-7000-8000-000000000001', 'Harbour');
INSERT INTO users (tenant_id, user_id, email) VALUES ('be500000-0000-7000-8000-000000000001', 'be500000-0000-7000-8000-000000000002', 'ada@harbour.example');
INSERT INTO conversations (tenant_id, conversation_id, user_id)
SELECT 'be500000-0000-7000-8000-000000000001', ('be500000-0000-7000-8000-' || lpad(to_hex(4096 + number), 12, '0'))::uuid, 'be500000-0000-7000-8000-000000000002'
FROM generate_series(0, 999) AS number;
INSERT INTO messages (tenant_id, conversation_id, seq, role, content, payload, payload_format)
SELECT 'be500000-0000-7000-8000-000000000001', ('be500000-0000-7000-8000-' || lpad(to_hex(4096 + number % 1000), 12, '0'))::uuid,
    1 + number / 1000, 'user',
    (SELECT string_agg('w' || floor(20000 * power(random(), 3)), ' ') FROM generate_series(1, 25) WHERE number >= 0),
    '{}', 'rehearsal/1'
FROM generate_series(0, 99999) AS number;
