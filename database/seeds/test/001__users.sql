-- Test data: two tenants with one user each, the least with which tenancy can be seen.

DO $guard$
BEGIN
    IF current_setting('pgratchet.environment', true) = 'production' THEN
        RAISE EXCEPTION 'this database is marked as production: no test data goes into it';
    END IF;
END
$guard$;

INSERT INTO public.tenants (tenant_id, tenant_name, plan_code) VALUES
    ('7e570000-0000-7000-8000-000000000001', 'First', 'standard'),
    ('7e570000-0000-7000-8000-000000000002', 'Second', 'free')
ON CONFLICT (tenant_id) DO NOTHING;

INSERT INTO public.users (tenant_id, user_id, email, display_name) VALUES
    ('7e570000-0000-7000-8000-000000000001', '7e570000-0000-7000-8000-000000000011', 'one@first.example', 'One'),
    ('7e570000-0000-7000-8000-000000000002', '7e570000-0000-7000-8000-000000000021', 'two@second.example', 'Two')
ON CONFLICT (tenant_id, email) DO NOTHING;

INSERT INTO public.login_directory (email, tenant_id, user_id) VALUES
    ('one@first.example', '7e570000-0000-7000-8000-000000000001', '7e570000-0000-7000-8000-000000000011'),
    ('two@second.example', '7e570000-0000-7000-8000-000000000002', '7e570000-0000-7000-8000-000000000021')
ON CONFLICT (email) DO NOTHING;
