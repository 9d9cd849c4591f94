/**
 * What has to be true before the first line of n8n-core runs. Imported first by every file of the harness.
 */
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import dns from 'node:dns';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const userFolder = mkdtempSync(join(tmpdir(), 'n8n-engine-'));
process.env.N8N_USER_FOLDER = userFolder;
process.env.N8N_ENCRYPTION_KEY = randomBytes(24).toString('base64');
process.env.N8N_LOG_LEVEL = 'silent';

const ends: Array<() => unknown> = [];

/** Has something done when the test file is through, last registered first. May be called at any time. */
export const onEnd = (end: () => unknown) => void ends.push(end);

afterAll(async () => {
	while (ends.length > 0) await ends.pop()!();
});
onEnd(() => rmSync(userFolder, { recursive: true, force: true }));

// Tests talk to loopback alone: any other host fails like a name that nobody registered.
const lookup = dns.lookup as (...args: unknown[]) => void;
const lookupLoopbackOnly = (hostname: string, ...rest: unknown[]) => {
	if (['localhost', '127.0.0.1', '::1'].includes(hostname)) return lookup(hostname, ...rest);
	const callback = rest.at(-1) as (error: Error) => void;
	const message = `getaddrinfo ENOTFOUND ${hostname} (tests reach loopback alone)`;
	const error = Object.assign(new Error(message), { code: 'ENOTFOUND', errno: -3008, hostname });
	process.nextTick(callback, Object.assign(error, { syscall: 'getaddrinfo' }));
};
Object.assign(dns, { lookup: lookupLoopbackOnly });
onEnd(() => Object.assign(dns, { lookup }));

// These are n8n's own dependencies, of which there may be several copies: the one counts that n8n itself loads.
const requireFromCore = createRequire(require.resolve('n8n-core'));
const requireFromWorkflow = createRequire(require.resolve('n8n-workflow'));

/** n8n-core's dependency container. */
export const { Container } = requireFromCore('@n8n/di') as typeof import('@n8n/di');

/** The token under which n8n-core looks up its logger. */
export const { Logger } = requireFromCore(
	'@n8n/backend-common',
) as typeof import('@n8n/backend-common');

/** The token of n8n's configuration, read from the environment with n8n's defaults. */
export const { GlobalConfig, SsrfProtectionConfig } = requireFromCore(
	'@n8n/config',
) as typeof import('@n8n/config');

/** How n8n reads a request's content type and charset, and keeps requests from private addresses when it is told to. */
export const { parseIncomingMessage, SsrfProtectionService } = requireFromCore(
	'@n8n/backend-network',
) as typeof import('@n8n/backend-network');

/** The isolates in which n8n evaluates expressions. */
export const { ExpressionEvaluator, IsolatedVmBridge } = requireFromWorkflow(
	'@n8n/expression-runtime',
) as typeof import('@n8n/expression-runtime');
