-- Development data: conversations, one of them with calls of tools. The payloads are what Semantic Kernel for
-- Python writes for one message with model_dump_json(exclude_none=True).

DO $guard$
BEGIN
    IF current_setting('pgratchet.environment', true) = 'production' THEN
        RAISE EXCEPTION 'this database is marked as production: no development data goes into it';
    END IF;
END
$guard$;

INSERT INTO public.conversations (tenant_id, conversation_id, user_id, title, next_seq, created_at, last_message_at, archived_at) VALUES
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000101', '0d000000-0000-7000-8000-000000000011',
     'Copies of a sea atlas', 7, '2026-03-02 09:00:00+00', '2026-03-02 09:00:50+00', NULL),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000102', '0d000000-0000-7000-8000-000000000012',
     'Opening hours', 4, '2026-03-03 14:00:00+00', '2026-03-03 14:00:20+00', NULL),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000103', '0d000000-0000-7000-8000-000000000011',
     'Window display for spring', 3, '2026-01-15 16:00:00+00', '2026-01-15 16:00:10+00', '2026-02-01 08:00:00+00'),
    ('0d000000-0000-7000-8000-000000000002', '0d000000-0000-7000-8000-000000000201', '0d000000-0000-7000-8000-000000000021',
     'A walk on Sunday', 3, '2026-03-04 18:00:00+00', '2026-03-04 18:00:10+00', NULL)
ON CONFLICT (tenant_id, conversation_id) DO NOTHING;

INSERT INTO public.messages (
    tenant_id, conversation_id, seq, role, author_name, model, finish_reason, prompt_tokens, completion_tokens,
    content, payload, payload_format, created_at
)
SELECT
    said.tenant_id::uuid, said.conversation_id::uuid, said.seq, said.role, said.author_name, said.model,
    said.finish_reason, said.prompt_tokens, said.completion_tokens, said.content, said.payload::json,
    'semantic-kernel-python/1', conversation.created_at + said.seq * interval '10 seconds' - interval '10 seconds'
FROM (VALUES
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000101', 1, 'developer', NULL, NULL, NULL, NULL::integer, NULL::integer,
     'You help in a bookshop by the harbour. Use the tools for stock.',
     '{"metadata":{},"content_type":"message","role":"developer","items":[{"metadata":{},"content_type":"text","text":"You help in a bookshop by the harbour. Use the tools for stock."}]}'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000101', 2, 'user', 'Ada', NULL, NULL, NULL, NULL,
     'How many copies of the sea atlas do we have? Put one aside for Mr. Okafor.',
     '{"metadata":{},"content_type":"message","role":"user","name":"Ada","items":[{"metadata":{},"content_type":"text","text":"How many copies of the sea atlas do we have? Put one aside for Mr. Okafor."}]}'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000101', 3, 'assistant', NULL, 'gpt-4o-mini', 'tool_calls', 212, 41,
     '',
     '{"ai_model_id":"gpt-4o-mini","metadata":{"usage":{"prompt_tokens":212,"completion_tokens":41}},"content_type":"message","role":"assistant","items":[{"metadata":{},"content_type":"function_call","id":"call_count_1","index":0,"name":"stock-count","function_name":"count","plugin_name":"stock","arguments":"{\"title\":\"Sea Atlas\"}"},{"metadata":{},"content_type":"function_call","id":"call_reserve_1","index":1,"name":"stock-reserve","function_name":"reserve","plugin_name":"stock","arguments":"{\"title\":\"Sea Atlas\",\"name\":\"Okafor\"}"}],"finish_reason":"tool_calls"}'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000101', 4, 'tool', NULL, NULL, NULL, NULL, NULL,
     '3',
     '{"metadata":{},"content_type":"message","role":"tool","items":[{"metadata":{},"content_type":"function_result","id":"call_count_1","result":"3","name":"stock-count","function_name":"count","plugin_name":"stock"}]}'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000101', 5, 'tool', NULL, NULL, NULL, NULL, NULL,
     'reserved',
     '{"metadata":{},"content_type":"message","role":"tool","items":[{"metadata":{},"content_type":"function_result","id":"call_reserve_1","result":"reserved","name":"stock-reserve","function_name":"reserve","plugin_name":"stock"}]}'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000101', 6, 'assistant', NULL, 'gpt-4o-mini', 'stop', 288, 27,
     'There are three copies of the sea atlas. One is now set aside for Mr. Okafor.',
     '{"ai_model_id":"gpt-4o-mini","metadata":{"usage":{"prompt_tokens":288,"completion_tokens":27}},"content_type":"message","role":"assistant","items":[{"metadata":{},"content_type":"text","text":"There are three copies of the sea atlas. One is now set aside for Mr. Okafor."}],"finish_reason":"stop"}'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000102', 1, 'system', NULL, NULL, NULL, NULL, NULL,
     'Answer in one sentence.',
     '{"metadata":{},"content_type":"message","role":"system","items":[{"metadata":{},"content_type":"text","text":"Answer in one sentence."}]}'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000102', 2, 'user', 'Tomas', NULL, NULL, NULL, NULL,
     'When do we open on a holiday?',
     '{"metadata":{},"content_type":"message","role":"user","name":"Tomas","items":[{"metadata":{},"content_type":"text","text":"When do we open on a holiday?"}]}'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000102', 3, 'assistant', NULL, 'gpt-4o-mini', 'stop', 58, 14,
     'On holidays the shop opens at eleven.',
     '{"ai_model_id":"gpt-4o-mini","metadata":{"usage":{"prompt_tokens":58,"completion_tokens":14}},"content_type":"message","role":"assistant","items":[{"metadata":{},"content_type":"text","text":"On holidays the shop opens at eleven."}],"finish_reason":"stop"}'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000103', 1, 'user', 'Ada', NULL, NULL, NULL, NULL,
     'What could we put into the window in spring?',
     '{"metadata":{},"content_type":"message","role":"user","name":"Ada","items":[{"metadata":{},"content_type":"text","text":"What could we put into the window in spring?"}]}'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000103', 2, 'assistant', NULL, 'gpt-4o-mini', 'stop', 31, 22,
     'Books on gardens and boats, with a small sail above them.',
     '{"ai_model_id":"gpt-4o-mini","metadata":{"usage":{"prompt_tokens":31,"completion_tokens":22}},"content_type":"message","role":"assistant","items":[{"metadata":{},"content_type":"text","text":"Books on gardens and boats, with a small sail above them."}],"finish_reason":"stop"}'),
    ('0d000000-0000-7000-8000-000000000002', '0d000000-0000-7000-8000-000000000201', 1, 'user', 'Lena', NULL, NULL, NULL, NULL,
     'Where can I walk for two hours by the sea?',
     '{"metadata":{},"content_type":"message","role":"user","name":"Lena","items":[{"metadata":{},"content_type":"text","text":"Where can I walk for two hours by the sea?"}]}'),
    ('0d000000-0000-7000-8000-000000000002', '0d000000-0000-7000-8000-000000000201', 2, 'assistant', NULL, 'gpt-4o-mini', 'stop', 35, 19,
     'From the lighthouse to the old mole and back is about two hours.',
     '{"ai_model_id":"gpt-4o-mini","metadata":{"usage":{"prompt_tokens":35,"completion_tokens":19}},"content_type":"message","role":"assistant","items":[{"metadata":{},"content_type":"text","text":"From the lighthouse to the old mole and back is about two hours."}],"finish_reason":"stop"}')
) AS said (
    tenant_id, conversation_id, seq, role, author_name, model, finish_reason, prompt_tokens, completion_tokens, content, payload
)
JOIN public.conversations AS conversation
  ON conversation.tenant_id = said.tenant_id::uuid AND conversation.conversation_id = said.conversation_id::uuid
ON CONFLICT (tenant_id, conversation_id, seq) DO NOTHING;

INSERT INTO public.api_usage (
    tenant_id, usage_id, occurred_at, user_id, conversation_id, endpoint, model, status_code, duration_ms,
    prompt_tokens, completion_tokens, cost_usd
) VALUES
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000301', '2026-03-02 09:00:20+00',
     '0d000000-0000-7000-8000-000000000011', '0d000000-0000-7000-8000-000000000101', '/chat', 'gpt-4o-mini', 200, 840, 212, 41, 0.0000564),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000302', '2026-03-02 09:00:50+00',
     '0d000000-0000-7000-8000-000000000011', '0d000000-0000-7000-8000-000000000101', '/chat', 'gpt-4o-mini', 200, 620, 288, 27, 0.0000594),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000303', '2026-03-03 14:00:20+00',
     '0d000000-0000-7000-8000-000000000012', '0d000000-0000-7000-8000-000000000102', '/chat', 'gpt-4o-mini', 200, 410, 58, 14, 0.0000171),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000304', '2026-03-03 14:01:00+00',
     '0d000000-0000-7000-8000-000000000012', NULL, '/chat', 'gpt-4o-mini', 429, 3, 0, 0, 0),
    ('0d000000-0000-7000-8000-000000000002', '0d000000-0000-7000-8000-000000000305', '2026-03-04 18:00:10+00',
     '0d000000-0000-7000-8000-000000000021', '0d000000-0000-7000-8000-000000000201', '/chat', 'gpt-4o-mini', 200, 530, 35, 19, 0.0000167)
ON CONFLICT (tenant_id, usage_id) DO NOTHING;
