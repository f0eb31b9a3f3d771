-- V006: what the same database might get next, written without care
ALTER TABLE messages ALTER COLUMN prompt_tokens TYPE bigint;
CREATE INDEX messages_model_idx ON messages (tenant_id, model, created_at);
ALTER TABLE conversations ADD CONSTRAINT conversations_title_check CHECK (length(title) <= 500);
