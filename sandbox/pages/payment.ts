import type { FastifyInstance } from 'fastify';

import type { Clock } from '../clock';
import { pagePath, type Payment, type Payments, type PaymentStatus } from '../payments';
import { button, html, missingPage, row, sendPage, type Page } from './html';

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

/** An amount with its currency, as the examples write it: 1,234.50 DKK. */
export const moneyOf = ({ amount, currency }: Pick<Payment, 'amount' | 'currency'>) => {
	const decimals = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
	return `${new Intl.NumberFormat('en', decimals).format(amount)} ${currency}`;
};

function paymentPage(payment: Payment, now: number): Page {
	const { status, merchant, merchantName = merchant, referenceNumber, description } = payment;
	const money = moneyOf(payment);
	const leftMs = Date.parse(payment.expiresAt) - now;
	const isOpen = status === 'pending';
	const path = pagePath(payment);
	return {
		title: `${HEADLINES[status]}: ${money}`,
		content: html`<div class="body ${status}">
			<div role="status">
				<h1>${HEADLINES[status]}</h1>
				<p class="explained">${EXPLANATIONS[status]}</p>
			</div>
			<p class="amount">${money}</p>
			<dl>
				${[
					row('Status', status),
					row('Pay to', merchantName),
					row('Reference', referenceNumber),
					row('For', description),
					row('Time left', isOpen ? `${Math.ceil(leftMs / 60_000)} min` : undefined),
				]}
			</dl>
			${isOpen
				? html`<div class="actions">
						${button(`${path}/pay`, 'Pay', true)} ${button(`${path}/decline`, 'Decline')}
					</div>`
				: ''}
		</div>`,
		refreshSeconds: { pending: Math.ceil(leftMs / 1000) + 1, processing: 1 }[status as string],
	};
}

/** The customer's page at a payment's URL, and what its buttons post to. */
export async function paymentRoutes(
	app: FastifyInstance,
	{ payments, clock }: { payments: Payments; clock: Clock },
): Promise<void> {
	for (const [prefix, api] of [
		['/pay', 'tokens'],
		['/p', 'keys'],
	] as const) {
		const find = (id: string) => {
			const payment = payments.find(id);
			return payment?.api === api ? payment : undefined;
		};
		app.get<{ Params: { id: string } }>(`${prefix}/:id`, async ({ params }, reply) => {
			const payment = find(params.id);
			if (!payment) return sendPage(reply, missingPage('payment'), 404);
			return sendPage(reply, paymentPage(payment, clock.now()));
		});
		for (const choice of ['pay', 'decline'] as const) {
			app.post<{ Params: { id: string } }>(`${prefix}/:id/${choice}`, async ({ params }, reply) => {
				const payment = find(params.id);
				if (!payment) return sendPage(reply, missingPage('payment'), 404);
				payments[choice](payment);
				return reply.redirect(pagePath(payment), 303);
			});
		}
	}
}
