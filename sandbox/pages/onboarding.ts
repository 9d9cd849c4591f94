import type { FastifyInstance } from 'fastify';

import type { Clock } from '../clock';
import { onboardingPath, type Merchant, type Merchants } from '../keys/merchants';
import { button, html, missingPage, row, sendPage, type Page } from './html';

const HEADLINES: Record<Merchant['status'], string> = {
	pending: 'Almost there',
	active: 'Ready to be paid',
	inactive: 'Closed',
};

const EXPLANATIONS: Record<Merchant['status'], string> = {
	pending:
		'Here a merchant proves who it is and names its bank account. In the sandbox one button does it.',
	active: 'The merchant is active, and payments can be created for it.',
	inactive: 'The merchant was deactivated: no payments can be created for it.',
};

const TOO_LATE = {
	headline: 'Too late',
	explanation: 'The link has expired. Ask your partner for a new one.',
};

function onboardingPage(merchant: Merchant, now: number): Page {
	const { status, companyName, contactEmail, id, clientId } = merchant;
	const isLate = status === 'pending' && isOver(merchant, now);
	const headline = isLate ? TOO_LATE.headline : HEADLINES[status];
	const path = onboardingPath(merchant);
	const action =
		status === 'active'
			? button(`${path}/deactivate`, 'Deactivate, as AcountPay may do')
			: button(
					`${path}/activate`,
					status === 'pending' ? 'Finish onboarding' : 'Activate again',
					true,
				);
	return {
		title: `${headline}: ${companyName}`,
		content: html`<div class="body ${status}">
			<div role="status">
				<h1>${headline}</h1>
				<p class="explained">${isLate ? TOO_LATE.explanation : EXPLANATIONS[status]}</p>
			</div>
			<dl>
				${[
					row('Company', companyName),
					row('E-mail', contactEmail),
					row('Number', id),
					row('Client ID', html`<code>${clientId}</code>`),
				]}
			</dl>
			${isLate ? '' : html`<div class="actions">${action}</div>`}
		</div>`,
	};
}

const isOver = ({ expiresAt }: Merchant, now: number) =>
	expiresAt !== undefined && Date.parse(expiresAt) <= now;

/** The page where a merchant does its part, and what its buttons post to. */
export async function onboardingRoutes(
	app: FastifyInstance,
	{ merchants, clock }: { merchants: Merchants; clock: Clock },
): Promise<void> {
	app.get<{ Params: { token: string } }>('/onboarding/:token', async ({ params }, reply) => {
		const merchant = merchants.findByToken(params.token);
		if (!merchant) return sendPage(reply, missingPage('merchant'), 404);
		return sendPage(reply, onboardingPage(merchant, clock.now()));
	});
	for (const choice of ['activate', 'deactivate'] as const) {
		app.post<{ Params: { token: string } }>(
			`/onboarding/:token/${choice}`,
			async ({ params }, reply) => {
				const merchant = merchants.findByToken(params.token);
				if (!merchant) return sendPage(reply, missingPage('merchant'), 404);
				const isLate = merchant.status === 'pending' && isOver(merchant, clock.now());
				if (!isLate) merchants[choice](merchant);
				return reply.redirect(onboardingPath(merchant), 303);
			},
		);
	}
}
