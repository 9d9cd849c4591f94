import formbody from '@fastify/formbody';
import type { FastifyInstance, FastifyReply } from 'fastify';

import type { Clock } from './clock';
import type { Payment, Payments, PaymentStatus } from './payments';

const ENTITIES: Record<string, string> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'"': '&quot;',
	"'": '&#39;',
};

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (letter) => ENTITIES[letter]);

const HEADLINES: Record<PaymentStatus, string> = {
	pending: 'Waiting for you',
	processing: 'Your bank is working on it',
	completed: 'Paid',
	failed: 'Not paid',
	expired: 'Too late',
};

const EXPLANATIONS: Record<PaymentStatus, string> = {
	pending: 'Check the amount, then pay or decline.',
	processing: 'This takes a moment. The page updates by itself.',
	completed: 'The payment has arrived. You can close this page.',
	failed: 'The payment was declined. No money was moved.',
	expired: 'This payment was not paid in time. Ask the shop for a new one.',
};

const STYLE = `
:root { color-scheme: light dark; --page: #f3f5f4; --card: #fff; --ink: #14201b; --soft: #55635c;
	--line: #dfe5e2; --accent: #0b6b4b; --on-accent: #fff; --good: #0b6b4b; --bad: #a32a1f;
	--wait: #7a5200; }
@media (prefers-color-scheme: dark) { :root { --page: #0e1412; --card: #18211d; --ink: #eaf1ed;
	--soft: #a3b3ab; --line: #2d3a34; --accent: #5fd3a5; --on-accent: #06231a; --good: #5fd3a5;
	--bad: #ff9a8d; --wait: #f0c46a; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
	background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; background: var(--card); border: 1px solid var(--line);
	border-radius: 1rem; overflow: hidden; }
.note { margin: 0; padding: .5rem 1.5rem; background: var(--line); color: var(--soft);
	font-size: .875rem; text-align: center; }
.body { padding: 1.5rem; }
h1 { margin: 0; font-size: 1.25rem; }
.pending h1, .processing h1 { color: var(--wait); }
.completed h1 { color: var(--good); }
.failed h1, .expired h1 { color: var(--bad); }
.explained { margin: .25rem 0 0; color: var(--soft); }
.amount { margin: 1.25rem 0; font-size: clamp(1.75rem, 9vw, 2.5rem); line-height: 1.1; font-weight: 700;
	font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
dl { margin: 0; display: grid; grid-template-columns: auto 1fr; gap: .5rem 1rem;
	border-top: 1px solid var(--line); padding-top: 1rem; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.actions { display: grid; gap: .75rem; margin-top: 1.5rem; }
form { margin: 0; }
button { width: 100%; min-height: 3rem; border-radius: .75rem; border: 1px solid var(--soft);
	background: transparent; color: var(--ink); font: inherit; font-weight: 600; cursor: pointer; }
button.pay { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button:hover { filter: brightness(1.08); }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
`;

/** A whole document; what goes into `content` must be escaped already. */
const documentOf = (title: string, content: string, refreshSeconds?: number) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refreshSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${refreshSeconds}">`}
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<p class="note">AcountPay sandbox: no money is moved</p>
${content}
</main>
</body>
</html>
`;

/** The page for an id that doesn't exist. */
const missingPage = documentOf(
	'No such payment',
	`<div class="body failed"><h1>No such payment</h1>
<p class="explained">The link may be incomplete, or the sandbox was started anew.</p></div>`,
);

const row = (name: string, value: string) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`;

/** The customer's page of a payment. */
function paymentPage(payment: Payment, now: number): string {
	const { id, amount, currency, status } = payment;
	const money = new Intl.NumberFormat('en', {
		style: 'currency',
		currency,
		currencyDisplay: 'code',
		minimumFractionDigits: 2,
		maximumFractionDigits: 2,
	})
		.format(amount)
		.replace('\u00a0', ' ');
	const leftMs = Date.parse(payment.expiresAt) - now;
	const isOpen = status === 'pending';
	const rows = [
		row('Status', status),
		row('Pay to', payment.merchant),
		row('Reference', payment.referenceNumber),
		payment.description === undefined ? '' : row('For', payment.description),
		isOpen ? row('Time left', `${Math.ceil(leftMs / 60_000)} min`) : '',
	];
	const actions = `<div class="actions">
<form method="post" action="/pay/${id}/pay"><button class="pay">Pay</button></form>
<form method="post" action="/pay/${id}/decline"><button>Decline</button></form>
</div>`;
	const refresh = { pending: Math.ceil(leftMs / 1000) + 1, processing: 1 }[status as string];
	return documentOf(
		`${HEADLINES[status]}: ${money}`,
		`<div class="body ${status}">
<div role="status"><h1>${HEADLINES[status]}</h1>
<p class="explained">${EXPLANATIONS[status]}</p></div>
<p class="amount">${escapeHtml(money)}</p>
<dl>${rows.join('')}</dl>
${isOpen ? actions : ''}
</div>`,
		refresh,
	);
}

/** The customer's page at a payment's URL, and what its buttons post to. */
export async function pageRoutes(
	app: FastifyInstance,
	{ payments, clock }: { payments: Payments; clock: Clock },
): Promise<void> {
	await app.register(formbody);
	app.addHook('onSend', async (_request, reply) => {
		reply.headers({
			'cache-control': 'no-store',
			'content-security-policy':
				"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
		});
	});
	const html = (reply: FastifyReply, status: number, page: string) =>
		reply.code(status).type('text/html; charset=utf-8').send(page);

	app.get<{ Params: { id: string } }>('/pay/:id', async ({ params }, reply) => {
		const payment = payments.find(params.id);
		if (!payment) return html(reply, 404, missingPage);
		return html(reply, 200, paymentPage(payment, clock.now()));
	});
	for (const choice of ['pay', 'decline'] as const) {
		app.post<{ Params: { id: string } }>(`/pay/:id/${choice}`, async ({ params }, reply) => {
			const payment = payments.find(params.id);
			if (!payment) return html(reply, 404, missingPage);
			payments[choice](payment);
			return reply.redirect(`/pay/${payment.id}`, 303);
		});
	}
}
