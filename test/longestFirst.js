const { relative } = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * The files that take long, with their seconds on an idle machine. Where jest has run none of them before, as in a fresh
 * clone, it would begin with the largest files instead, and wait for one of these in the end.
 */
const SECONDS = {
	'engine/random.test.ts': 105,
	'engine/wait.test.ts': 85,
	'engine/busy.test.ts': 80,
	'engine/volume.test.ts': 50,
	'engine/registration.test.ts': 45,
	'engine/look-up.test.ts': 30,
	'engine/one-payment.test.ts': 25,
	'engine/retries.test.ts': 25,
	'engine/refusals.test.ts': 25,
	'engine/qr-code.test.ts': 25,
	'engine/look-up-again.test.ts': 20,
	'engine/existing-payment.test.ts': 20,
	'engine/keys.test.ts': 20,
	'e2e/editor.test.ts': 125,
	'e2e/examples/payment-form.test.ts': 115,
	'e2e/editor-keys.test.ts': 110,
	'e2e/money.test.ts': 110,
	'e2e/registration.test.ts': 105,
	'e2e/examples/pay-once.test.ts': 100,
	'e2e/webhooks.test.ts': 75,
	'e2e/wait.test.ts': 65,
	'e2e/examples/paid-orders.test.ts': 55,
	'e2e/examples/onboard-merchant.test.ts': 50,
	'e2e/examples/assistant.test.ts': 50,
	'e2e/demo.test.ts': 40,
	'e2e/examples/point-of-sale.test.ts': 40,
	'e2e/examples/nightly-reconciliation-keys.test.ts': 30,
	'e2e/examples/invoices-by-mail.test.ts': 25,
	'e2e/payment.test.ts': 25,
	'e2e/upgrade.test.ts': 20,
	'e2e/messages.test.ts': 20,
};

const OTHERS = 10;

module.exports = class LongestFirst extends Sequencer {
	/** How long a file took the last time, in ms; where that is not known, as long as it usually takes. */
	time(test) {
		const path = relative(__dirname, test.path).replaceAll('\\', '/');
		return super.time(test) ?? 1_000 * (SECONDS[path] ?? OTHERS);
	}
};
