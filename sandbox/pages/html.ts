import formbody from '@fastify/formbody';
import escapeHtml from 'escape-html';
import type { FastifyInstance, FastifyReply } from 'fastify';

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
main { width: 100%; min-width: 0; max-width: 26rem; background: var(--card);
	border: 1px solid var(--line); border-radius: 1rem; overflow: hidden; }
main.wide { max-width: 60rem; }
.note { margin: 0; padding: .5rem 1.5rem; background: var(--line); color: var(--soft);
	font-size: .875rem; text-align: center; }
.body { padding: 1.5rem; }
h1 { margin: 0; font-size: 1.25rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1.0625rem; }
h3 { margin: 0 0 .5rem; font-size: 1rem; }
p { margin: .25rem 0 0; }
.pending h1, .processing h1, td.pending, td.processing { color: var(--wait); }
.completed h1, .active h1, td.completed, td.active { color: var(--good); }
.failed h1, .expired h1, .inactive h1, td.failed, td.expired, td.inactive { color: var(--bad); }
.explained { color: var(--soft); }
.amount { margin: 1.25rem 0; font-size: clamp(1.75rem, 9vw, 2.5rem); line-height: 1.1; font-weight: 700;
	font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
dl { margin: 0; display: grid; grid-template-columns: auto 1fr; gap: .5rem 1rem; }
.body > dl { margin-top: 1rem; border-top: 1px solid var(--line); padding-top: 1rem; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.actions { display: grid; gap: .75rem; margin-top: 1.5rem; }
form { margin: 0; }
button { width: 100%; min-height: 3rem; border-radius: .75rem; border: 1px solid var(--soft);
	background: transparent; color: var(--ink); font: inherit; font-weight: 600; cursor: pointer; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button:hover { filter: brightness(1.08); }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
a { color: var(--accent); }
code { font: .8125rem/1.6 ui-monospace, monospace; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }
.card { border: 1px solid var(--line); border-radius: .75rem; padding: 1rem; min-width: 0; }
.card dl { grid-template-columns: 1fr; gap: 0; }
.card dd { text-align: left; margin-bottom: .375rem; user-select: all; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line); text-align: left;
	vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 400; border-top: 0; }
th, td[class] { white-space: nowrap; }
td.money { font-variant-numeric: tabular-nums; }
@media (max-width: 40rem) {
	.body { padding: 1rem; }
	thead { display: none; }
	tr { display: block; padding: .5rem 0; border-top: 1px solid var(--line); }
	td { display: block; border: 0; padding: 0; }
	td[data-name]::before { content: attr(data-name) ': '; color: var(--soft); }
}
`;

/** A piece of a page that is HTML already. */
export class Html {
	constructor(readonly source: string) {}
}

type Piece = Html | string | number | undefined | Piece[];

function sourceOf(piece: Piece): string {
	if (piece === undefined) return '';
	if (Array.isArray(piece)) return piece.map(sourceOf).join('');
	return piece instanceof Html ? piece.source : escapeHtml(String(piece));
}

/** Builds a piece of a page; every text that is put into it is escaped. */
export const html = (strings: TemplateStringsArray, ...pieces: Piece[]): Html =>
	new Html(String.raw({ raw: strings }, ...pieces.map(sourceOf)));

/** A name and its value in a list; nothing without a value. */
export const row = (name: string, value?: Piece) =>
	value === undefined
		? undefined
		: html`<dt>${name}</dt>
				<dd>${value}</dd>`;

/** A button that posts to a path. */
export const button = (path: string, label: string, isMain = false) =>
	html`<form method="post" action="${path}"><button${new Html(isMain ? ' class="main"' : '')}>${label}</button></form>`;

/** What a page is made of. */
export interface Page {
	title: string;
	content: Html;
	/** Loads the page again after this many seconds. */
	refreshSeconds?: number;
	/** For lists: wider than a card. */
	isWide?: boolean;
}

const documentOf = ({ title, content, refreshSeconds, isWide }: Page) => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refreshSeconds === undefined ? '' : html`<meta http-equiv="refresh" content="${refreshSeconds}" />`}
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main${new Html(isWide ? ' class="wide"' : '')}>
<p class="note">AcountPay sandbox: no money is moved</p>
${content}
</main>
</body>
</html>
`;

/** A page for something that does not exist. */
export const missingPage = (what: string): Page => ({
	title: `No such ${what}`,
	content: html`<div class="body failed">
		<h1>No such ${what}</h1>
		<p class="explained">The link may be incomplete, or the sandbox was started anew.</p>
	</div>`,
});

/** Sends a page. */
export const sendPage = (reply: FastifyReply, page: Page, status = 200) =>
	reply.code(status).type('text/html; charset=utf-8').send(documentOf(page).source);

/** Lets a part of the app serve pages: forms in; nothing is kept, embedded or loaded from elsewhere. */
export async function servePages(app: FastifyInstance): Promise<void> {
	await app.register(formbody);
	app.addHook('onSend', async (_request, reply) => {
		reply.headers({
			'cache-control': 'no-store',
			'content-security-policy':
				"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
		});
	});
}
