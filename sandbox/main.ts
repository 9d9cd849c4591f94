import { parseArgs } from 'node:util';

import { KEY_MERCHANTS, MOCK_PAYMENTS, startSandbox, TEST_MERCHANTS } from '.';

/** Where people's credentials keep pointing to from one start to the next. */
const DEFAULT_PORT = 4040;

const USAGE = `npm run sandbox -- [options]

  --port <n>               port on 127.0.0.1 (default ${DEFAULT_PORT}; 0 takes any free one)
  --control                lets tests steer it at /_sandbox (see sandbox/README.md)
  --client-id <text>       for access tokens
  --client-secret <text>
  --webhook-secret <text>
  --key-id <text>          for API keys
  --key-secret <text>
  --latency <ms>           how long each request takes (default 0)
  --help
`;

/** A whole number of at least 0. @throws Error that names the option */
function wholeNumber(option: string, text: string): number {
	if (!/^\d+$/.test(text)) throw new Error(`--${option} takes a whole number, not '${text}'`);
	return Number(text);
}

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			port: { type: 'string', default: String(DEFAULT_PORT) },
			control: { type: 'boolean', default: false },
			'client-id': { type: 'string' },
			'client-secret': { type: 'string' },
			'webhook-secret': { type: 'string' },
			'key-id': { type: 'string' },
			'key-secret': { type: 'string' },
			latency: { type: 'string', default: '0' },
			help: { type: 'boolean', default: false },
		},
	});
	if (values.help) {
		console.log(USAGE);
		return;
	}
	const sandbox = await startSandbox({
		port: wholeNumber('port', values.port),
		control: values.control,
		clientId: values['client-id'],
		clientSecret: values['client-secret'],
		webhookSecret: values['webhook-secret'],
		keys: { clientId: values['key-id'], clientSecret: values['key-secret'] },
		latencyMs: wholeNumber('latency', values.latency),
		record: values.control,
	});
	const { clientId, clientSecret, webhookSecret } = sandbox.credentials;
	console.log(`AcountPay sandbox at ${sandbox.url}${values.control ? ' (control: /_sandbox)' : ''}
Open it in a browser: it shows all of this, and the payments with their links.

Access tokens, in n8n a credential 'AcountPay (Access Tokens) API'
  Base URL        ${sandbox.url}
  Client ID       ${clientId}
  Client Secret   ${clientSecret}
  Webhook Secret  ${webhookSecret}
  Merchants       ${Object.keys(TEST_MERCHANTS).join('\n                  ')}
                  or any other id: its payments wait for the customer
  X-Mock-Payment  ${Object.keys(MOCK_PAYMENTS).join(', ')}

API keys, in n8n a credential 'AcountPay (API Keys) API'
  Base URL        ${sandbox.url}/v1
  Client ID       ${sandbox.keys.clientId}
  Client Secret   ${sandbox.keys.clientSecret}
  Merchants       ${Object.values(KEY_MERCHANTS)
		.map(({ clientId: id, companyName }) => `${id} ${companyName}`)
		.join('\n                  ')}

  1. In n8n, make one of the two credentials: environment Custom, and the Base URL above
  2. Create a payment with the AcountPay node, and open its paymentUrl in a browser
  3. Press Pay or Decline there, then Get the payment to see its status

Ctrl-C ends it, and forgets its payments.`);
	const end = () => void sandbox.close();
	process.once('SIGINT', end);
	process.once('SIGTERM', end);
}

main().catch((error: Error & { code?: string }) => {
	const hint = error.code === 'EADDRINUSE' ? ' Choose another with --port.' : '';
	console.error(`The sandbox did not start: ${error.message.replace(/\.$/, '')}.${hint}`);
	process.exitCode = 1;
});
