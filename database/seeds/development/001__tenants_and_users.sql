-- Development data: two tenants, their users and roles. Runs as the owner of the tables, as often as wanted.

DO $guard$
BEGIN
    IF current_setting('pgratchet.environment', true) = 'production' THEN
        RAISE EXCEPTION 'this database is marked as production: no development data goes into it';
    END IF;
END
$guard$;

INSERT INTO public.tenants (tenant_id, tenant_name, plan_code) VALUES
    ('0d000000-0000-7000-8000-000000000001', 'Harbour Books', 'standard'),
    ('0d000000-0000-7000-8000-000000000002', 'Lena Vogt (personal)', 'free')
ON CONFLICT (tenant_id) DO NOTHING;

INSERT INTO public.users (tenant_id, user_id, email, display_name) VALUES
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000011', 'ada@harbour.example', 'Ada Brandt'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000012', 'tomas@harbour.example', 'Tomas Rey'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000013', 'noor@harbour.example', 'Noor Haddad'),
    ('0d000000-0000-7000-8000-000000000002', '0d000000-0000-7000-8000-000000000021', 'lena@vogt.example', 'Lena Vogt')
ON CONFLICT (tenant_id, email) DO NOTHING;

INSERT INTO public.login_directory (email, tenant_id, user_id) VALUES
    ('ada@harbour.example', '0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000011'),
    ('tomas@harbour.example', '0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000012'),
    ('noor@harbour.example', '0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000013'),
    ('lena@vogt.example', '0d000000-0000-7000-8000-000000000002', '0d000000-0000-7000-8000-000000000021')
ON CONFLICT (email) DO NOTHING;

INSERT INTO public.roles (tenant_id, role_name, description, permissions) VALUES
    ('0d000000-0000-7000-8000-000000000001', 'administrator', 'Manages users and keys', '{users:write,keys:write,conversations:read}'),
    ('0d000000-0000-7000-8000-000000000001', 'member', 'Chats', '{conversations:write}'),
    ('0d000000-0000-7000-8000-000000000002', 'administrator', 'Everything in a personal tenant', '{users:write,keys:write,conversations:write}')
ON CONFLICT (tenant_id, role_name) DO NOTHING;

INSERT INTO public.user_roles (tenant_id, user_id, role_name) VALUES
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000011', 'administrator'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000011', 'member'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000012', 'member'),
    ('0d000000-0000-7000-8000-000000000001', '0d000000-0000-7000-8000-000000000013', 'member'),
    ('0d000000-0000-7000-8000-000000000002', '0d000000-0000-7000-8000-000000000021', 'administrator')
ON CONFLICT (tenant_id, user_id, role_name) DO NOTHING;

-- Tomas writes programs that ask a lot.
INSERT INTO public.rate_limit_overrides (tenant_id, subject, limit_name, amount, burst) VALUES
    ('0d000000-0000-7000-8000-000000000001', 'user:0d000000-0000-7000-8000-000000000012', 'requests_per_minute', 240, 240)
ON CONFLICT (tenant_id, subject, limit_name) DO NOTHING;
