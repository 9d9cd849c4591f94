import {
	baseUrlExpression,
	baseUrlOf as baseUrlOfHosts,
	OAUTH2_HOSTS,
} from '../../../../nodes/shared/api/hosts';

const baseUrlOf = (host: Parameters<typeof baseUrlOfHosts>[0]) =>
	baseUrlOfHosts(host, OAUTH2_HOSTS);

describe('base URL', () => {
	it('of the documented environments', () => {
		expect(baseUrlOf({ environment: 'production' })).toBe('https://api.acountpay.com');
		expect(baseUrlOf({ environment: 'sandbox', baseUrl: 'https://evil.test' })).toBe(
			'https://acount-apis-staging-a8cdb2402163.herokuapp.com',
		);
		expect(baseUrlOf({ environment: 'other' as never })).toBeUndefined();
	});

	it.each([
		['https://pay.example.com', 'https://pay.example.com'],
		['https://pay.example.com/', 'https://pay.example.com'],
		['https://pay.example.com:8443/api//', 'https://pay.example.com:8443/api'],
		[' HTTPS://Pay.example.com ', 'HTTPS://Pay.example.com'],
		['http://localhost', 'http://localhost'],
		['http://localhost:3000/', 'http://localhost:3000'],
		['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
		['http://127.1.2.3', 'http://127.1.2.3'],
		['http://[::1]:3000', 'http://[::1]:3000'],
		['https://pay.example.com/v1', 'https://pay.example.com'],
		['https://pay.example.com/v1/', 'https://pay.example.com'],
		['https://pay.example.com/v1/partner', 'https://pay.example.com'],
		['https://pay.example.com/v1/partner//', 'https://pay.example.com'],
		['https://pay.example.com/gateway/v1/partner', 'https://pay.example.com/gateway'],
		['https://pay.example.com/v1/partners', 'https://pay.example.com/v1/partners'],
		['https://pay.example.com/v1/v1', 'https://pay.example.com/v1'],
		['https://v1', 'https://v1'],
		['https://v1/partner', 'https://v1/partner'],
	])('%p may be given a secret', (baseUrl, expected) => {
		expect(baseUrlOf({ environment: 'custom', baseUrl })).toBe(expected);
	});

	it.each([
		[undefined],
		[''],
		['http://pay.example.com'],
		['http://localhost.evil.test'],
		['http://localhost@evil.test'],
		['http://localhost:80@evil.test'],
		['http://localhost:pw@evil.test'],
		['http://127.0.0.1.evil.test'],
		['http://127.0.0.1@evil.test'],
		['http://1270.0.0.1'],
		['http://localhost\\@evil.test'],
		['http://evil.test/http://localhost'],
		['https://user:pw@pay.example.com'],
		['https://'],
		['https:///x'],
		['https://pay.example.com?x='],
		['https://pay.example.com/a?x='],
		['https://pay.example.com#'],
		['https://pay.example.com/a#x'],
		['https://pay.exam ple.com'],
		['https://pay.example.com/a\nb'],
		['https://pay.example.com:99999'],
		['http://127.0.0.999'],
		['https://[::1'],
		['ftp://pay.example.com'],
		['//pay.example.com'],
		['pay.example.com'],
		['javascript:https://x'],
	])('%p may not', (baseUrl) => {
		expect(baseUrlOf({ environment: 'custom', baseUrl })).toBeUndefined();
	});
});

it.each([
	['production', OAUTH2_HOSTS.production],
	['staging', 'https://staging.example.com'],
	['custom', 'https://pay.example.com'],
	['other', 'https://pay.example.com'],
])('the expression of a credential knows every environment: %s', (environment, expected) => {
	const hosts = { ...OAUTH2_HOSTS, staging: 'https://staging.example.com' };
	const evaluate = new Function('$self', `return ${baseUrlExpression('$self', hosts)}`) as (
		fields: object,
	) => string;
	for (const end of ['/ ', '/v1 ', '/v1/partner/ ']) {
		expect(evaluate({ environment, baseUrl: ` https://pay.example.com${end}` })).toBe(expected);
	}
});
