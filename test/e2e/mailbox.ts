import { simpleParser, type ParsedMail } from 'mailparser';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** A mail server on loopback that keeps what it gets. */
export interface Mailbox {
	/** What a person enters in n8n's SMTP credential. */
	credential: Record<string, string | number | boolean>;
	/** All mails that came, in the order in which they came. */
	mails: ParsedMail[];
	/** What happens before the server says that it has taken a mail. */
	onMail?: () => Promise<void>;
	close(): Promise<void>;
}

/**
 * Starts a mail server.
 *
 * @param refused addresses that it takes no mail for
 */
export async function startMailbox(refused: string[] = []): Promise<Mailbox> {
	const mails: ParsedMail[] = [];
	const server = new SMTPServer({
		disabledCommands: ['STARTTLS'],
		onAuth: ({ username }, _session, callback) => callback(null, { user: username }),
		onRcptTo: ({ address }, _session, callback) =>
			callback(refused.includes(address) ? new Error('No such mailbox') : null),
		onData: (stream, _session, callback) => {
			simpleParser(stream).then(async (mail) => {
				await mailbox.onMail?.();
				mails.push(mail);
				callback();
			}, callback);
		},
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const mailbox: Mailbox = {
		credential: {
			host: '127.0.0.1',
			port: (server.server.address() as AddressInfo).port,
			user: 'shop',
			password: 'secret',
			secure: false,
			disableStartTls: true,
		},
		mails,
		close: async () => await new Promise<void>((resolve) => server.close(resolve)),
	};
	return mailbox;
}
