/** What a status, or the lack of one, means. */
import {
	describeFailure,
	isRateLimited,
	isRedirect,
	isRefusal,
	isSuccess,
	isUnreachable,
	isWebPage,
	proxyFailureOf,
} from '../../../../nodes/shared/http/response';
import { late, response, unreachable } from '../../support';

const KINDS = { isSuccess, isRedirect, isRefusal, isRateLimited, isUnreachable };
type Kind = keyof typeof KINDS;

it.each<[number, Kind[]]>([
	[199, []],
	[200, ['isSuccess']],
	[299, ['isSuccess']],
	[300, ['isRedirect']],
	[399, ['isRedirect']],
	[400, ['isRefusal']],
	// It says nothing of what AcountPay did.
	[408, []],
	[429, ['isRefusal', 'isRateLimited']],
	[499, ['isRefusal']],
	[500, []],
])('%i is %j', (status, kinds) => {
	const sent = response(status);
	expect((Object.keys(KINDS) as Kind[]).filter((kind) => KINDS[kind](sent))).toEqual(kinds);
});

it.each([
	['no response', late, []],
	['no connection', unreachable, ['isUnreachable']],
] as const)('%s is %j', (_what, sent, kinds) => {
	expect((Object.keys(KINDS) as Kind[]).filter((kind) => KINDS[kind](sent))).toEqual(kinds);
});

it.each([
	[late, 'did not respond within 30 seconds'],
	[unreachable, 'could not be reached'],
	[response(200), 'sent a response that could not be read (status 200)'],
	[response(302), 'sent a redirect (status 302), which is not followed'],
	[response(399), 'sent a redirect (status 399), which is not followed'],
	[response(408), 'reported a timeout (status 408)'],
	[response(499), 'reported a timeout (status 499)'],
	[response(500), 'returned a server error (status 500)'],
])('%j %s', (sent, what) => {
	expect(describeFailure(sent)).toBe(what);
});

it.each([
	['<html>', true],
	[' \n<!doctype html>', true],
	[' '.repeat(63) + '<', true],
	[' '.repeat(64) + '<', false],
	['{"a":"<"}', false],
	['', false],
])('%j is a web page: %s', (body, is) => {
	expect(isWebPage(response(200, body))).toBe(is);
});

describe('a response of a proxy', () => {
	it.each([
		[407, true],
		[511, true],
		[403, false],
		[200, false],
	])('%i, which was written: a proxy, unless AcountPay gave it: %s', (status, isProxy) => {
		const failure = {
			status: undefined,
			sent: false,
			what: 'could not be reached',
			proxyStatus: status,
		};
		expect(proxyFailureOf(response(status), true)).toEqual(isProxy ? failure : undefined);
		// The response to CONNECT: nothing was written.
		expect(proxyFailureOf(response(status), false)).toEqual(failure);
	});
});
