-- Development data: the functions that the kernel of each tenant may call.

DO $guard$
BEGIN
    IF current_setting('pgratchet.environment', true) = 'production' THEN
        RAISE EXCEPTION 'this database is marked as production: no development data goes into it';
    END IF;
END
$guard$;

INSERT INTO public.skills (tenant_id, plugin_name, function_name, description, parameters)
SELECT tenant.tenant_id, skill.plugin_name, skill.function_name, skill.description, skill.parameters
FROM (VALUES
    ('0d000000-0000-7000-8000-000000000001'::uuid),
    ('0d000000-0000-7000-8000-000000000002'::uuid)
) AS tenant (tenant_id)
CROSS JOIN (VALUES
    ('time', 'now', 'The current date and time', '{"type": "object", "properties": {}}'::jsonb),
    ('time', 'days_until', 'Days from today to a date',
     '{"type": "object", "properties": {"date": {"type": "string", "format": "date"}}, "required": ["date"]}'),
    ('math', 'add', 'The sum of two numbers',
     '{"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}, "required": ["a", "b"]}'),
    ('stock', 'count', 'How many copies of a book are in the shop',
     '{"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}'),
    ('stock', 'reserve', 'Puts a copy of a book aside',
     '{"type": "object", "properties": {"title": {"type": "string"}, "name": {"type": "string"}}, "required": ["title", "name"]}'),
    ('memory', 'search', 'Finds what is known about a question',
     '{"type": "object", "properties": {"question": {"type": "string"}, "limit": {"type": "integer"}}, "required": ["question"]}'),
    ('text', 'summarise', 'Makes a long text short',
     '{"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}')
) AS skill (plugin_name, function_name, description, parameters)
ON CONFLICT (tenant_id, plugin_name, function_name) DO NOTHING;
