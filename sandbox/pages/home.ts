import type { FastifyInstance } from 'fastify';

import {
	courseOf as keyCourseOf,
	onboardingPath,
	type Merchant,
	type Merchants,
} from '../keys/merchants';
import type { Keys } from '../keys/auth';
import { pagePath, type Api, type Course, type Payment, type Payments } from '../payments';
import { TEST_MERCHANTS } from '../tokens/api';
import type { Credentials } from '../tokens/oauth';
import { html, row, sendPage, type Html, type Page } from './html';
import { moneyOf } from './payment';

/** What the first page shows. */
export interface HomeParts {
	credentials: Credentials;
	keys: Keys;
	payments: Payments;
	merchants: Merchants;
	/** The sandbox's address, known once it listens. */
	url: () => string;
}

/** What people call the two APIs. */
const CREATED_WITH: Record<Api, string> = { tokens: 'access tokens', keys: 'API keys' };

/** How many payments and merchants are shown at most, the newest. */
const SHOWN = 100;

const code = (value: string | number) => html`<code>${value}</code>`;

/** What becomes of a merchant's payments. */
function fate(course?: Course): string {
	if (!course) return 'wait for the customer';
	const end = course.end === 'completed' ? 'paid' : 'refused by the bank';
	return `${end} after ${course.afterMs / 1000} s`;
}

function table(names: string[], rows: Html[]): Html {
	return html`<table>
		<thead>
			<tr>
				${names.map((name) => html`<th>${name}</th>`)}
			</tr>
		</thead>
		<tbody>
			${rows}
		</tbody>
	</table>`;
}

function tokensCard({ credentials, url }: HomeParts): Html {
	const { clientId, clientSecret, webhookSecret } = credentials;
	return html`<section class="card">
		<h3>Access tokens</h3>
		<dl>
			${[
				row('Base URL', code(url())),
				row('Client ID', code(clientId)),
				row('Client Secret', code(clientSecret)),
				row('Webhook Secret', code(webhookSecret)),
			]}
		</dl>
	</section>`;
}

function keysCard({ keys, url }: HomeParts): Html {
	return html`<section class="card">
		<h3>API keys</h3>
		<dl>
			${[
				row('Base URL', code(`${url()}/v1`)),
				row('Client ID', code(keys.clientId)),
				row('Client Secret', code(keys.clientSecret)),
			]}
		</dl>
	</section>`;
}

const tokenMerchants = () =>
	table(
		['Merchant ID', 'Its payments'],
		[
			...Object.entries(TEST_MERCHANTS).map(
				([id, course]) =>
					html`<tr>
						<td>${code(id)}</td>
						<td>${fate(course)}</td>
					</tr>`,
			),
			html`<tr>
				<td>any other</td>
				<td>${fate()}</td>
			</tr>`,
		],
	);

const merchantRow = (merchant: Merchant) =>
	html`<tr>
		<td data-name="Company">
			${merchant.onboardingToken === undefined
				? merchant.companyName
				: html`<a href="${onboardingPath(merchant)}">${merchant.companyName}</a>`}
		</td>
		<td data-name="Number">${merchant.id}</td>
		<td>${code(merchant.clientId)}</td>
		<td class="${merchant.status}">${merchant.status}</td>
		<td data-name="Its payments">${fate(keyCourseOf(merchant.clientId))}</td>
	</tr>`;

const paymentRow = (payment: Payment) =>
	html`<tr>
		<td><a href="${pagePath(payment)}">${code(payment.id)}</a></td>
		<td class="money">${moneyOf(payment)}</td>
		<td data-name="Reference">${payment.referenceNumber}</td>
		<td data-name="Merchant">${payment.merchantName ?? payment.merchant}</td>
		<td class="${payment.status}">${payment.status}</td>
		<td data-name="Created with">${CREATED_WITH[payment.api]}</td>
	</tr>`;

function homePage(parts: HomeParts): Page {
	const payments = parts.payments.all().reverse();
	const merchants = parts.merchants.all().reverse();
	return {
		title: 'AcountPay sandbox',
		isWide: true,
		content: html`<div class="body">
			<h1>AcountPay sandbox</h1>
			<p>
				An AcountPay of your own, on this machine. In n8n, create a credential with one of these,
				and choose the environment <em>Custom</em>. Then create a payment, open its link, and pay or
				decline.
			</p>
			<h2>Credentials</h2>
			<div class="cards">${tokensCard(parts)}${keysCard(parts)}</div>
			<h2>Payments</h2>
			${payments.length === 0
				? html`<p class="explained">None yet. Create one, then load this page again.</p>`
				: table(
						['Payment', 'Amount', 'Reference', 'Merchant', 'Status', 'Created with'],
						payments.slice(0, SHOWN).map(paymentRow),
					)}
			${payments.length > SHOWN
				? html`<p class="explained">And ${payments.length - SHOWN} older ones.</p>`
				: ''}
			<h2>Merchants with access tokens</h2>
			${tokenMerchants()}
			<h2>Merchants with API keys</h2>
			<p class="explained">
				Payments name a merchant by its client ID. Unpaid payments end after 30 minutes.
			</p>
			${table(
				['Company', 'Number', 'Client ID', 'Status', 'Its payments'],
				merchants.slice(0, SHOWN).map(merchantRow),
			)}
		</div>`,
	};
}

/** The first page: what the sandbox is, what it takes, and what it holds. */
export async function homeRoutes(app: FastifyInstance, parts: HomeParts): Promise<void> {
	app.get('/', async (_request, reply) => sendPage(reply, homePage(parts)));
}
