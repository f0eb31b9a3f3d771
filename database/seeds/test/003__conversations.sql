-- Test data: one conversation a tenant, with a call of a tool and with what is easily lost on the way to a
-- database: the escape \u0000, the order of keys, a number that is written in two ways.

DO $guard$
BEGIN
    IF current_setting('pgratchet.environment', true) = 'production' THEN
        RAISE EXCEPTION 'this database is marked as production: no test data goes into it';
    END IF;
END
$guard$;

INSERT INTO public.conversations (tenant_id, conversation_id, user_id, title, next_seq) VALUES
    ('7e570000-0000-7000-8000-000000000001', '7e570000-0000-7000-8000-000000000101', '7e570000-0000-7000-8000-000000000011', 'Time', 5),
    ('7e570000-0000-7000-8000-000000000002', '7e570000-0000-7000-8000-000000000201', '7e570000-0000-7000-8000-000000000021', 'Time', 2)
ON CONFLICT (tenant_id, conversation_id) DO NOTHING;

INSERT INTO public.messages (tenant_id, conversation_id, seq, role, model, finish_reason, content, payload, payload_format) VALUES
    ('7e570000-0000-7000-8000-000000000001', '7e570000-0000-7000-8000-000000000101', 1, 'user', NULL, NULL,
     'What time is it?',
     '{"content_type":"message","role":"user","items":[{"content_type":"text","text":"What time is it?"}]}',
     'semantic-kernel-python/1'),
    ('7e570000-0000-7000-8000-000000000001', '7e570000-0000-7000-8000-000000000101', 2, 'assistant', 'test-model', 'tool_calls',
     '',
     '{"ai_model_id":"test-model","content_type":"message","role":"assistant","items":[{"content_type":"function_call","id":"call_1","index":0,"name":"time-now","function_name":"now","plugin_name":"time","arguments":"{}"}],"finish_reason":"tool_calls"}',
     'semantic-kernel-python/1'),
    ('7e570000-0000-7000-8000-000000000001', '7e570000-0000-7000-8000-000000000101', 3, 'tool', NULL, NULL,
     'noon',
     '{"role":"tool","$type":"result","b":1e5,"a":100000,"signature":"a\u0000b","content_type":"message","items":[{"content_type":"function_result","id":"call_1","result":"noon","name":"time-now"}]}',
     'semantic-kernel-python/1'),
    ('7e570000-0000-7000-8000-000000000001', '7e570000-0000-7000-8000-000000000101', 4, 'assistant', 'test-model', 'stop',
     'It is noon.',
     '{"ai_model_id":"test-model","content_type":"message","role":"assistant","items":[{"content_type":"text","text":"It is noon."}],"finish_reason":"stop"}',
     'semantic-kernel-python/1'),
    ('7e570000-0000-7000-8000-000000000002', '7e570000-0000-7000-8000-000000000201', 1, 'user', NULL, NULL,
     'Is it noon?',
     '{"content_type":"message","role":"user","items":[{"content_type":"text","text":"Is it noon?"}]}',
     'semantic-kernel-python/1')
ON CONFLICT (tenant_id, conversation_id, seq) DO NOTHING;
