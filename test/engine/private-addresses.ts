/** Imported first: has n8n keep requests from private addresses, which it reads from the environment once. */
process.env.N8N_SSRF_PROTECTION_ENABLED = 'true';
