-- Test data: one function that a kernel may call, the same for both tenants.

DO $guard$
BEGIN
    IF current_setting('pgratchet.environment', true) = 'production' THEN
        RAISE EXCEPTION 'this database is marked as production: no test data goes into it';
    END IF;
END
$guard$;

INSERT INTO public.skills (tenant_id, plugin_name, function_name, description) VALUES
    ('7e570000-0000-7000-8000-000000000001', 'time', 'now', 'The current date and time'),
    ('7e570000-0000-7000-8000-000000000002', 'time', 'now', 'The current date and time')
ON CONFLICT (tenant_id, plugin_name, function_name) DO NOTHING;
