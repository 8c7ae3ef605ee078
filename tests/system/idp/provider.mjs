// A real OpenID provider (npm oidc-provider) behind the addresses and replies of Google, GitHub, GitLab and Okta.
//
// node provider.mjs PORT CLIENTS   CLIENTS is JSON: [{"client_id", "client_secret", "redirect_uris"}]
//
// Codes, tokens, PKCE and client authentication are the provider's own; what GitHub's and GitLab's REST APIs say is
// read from its token store. A login_hint in the address logs in by itself; without one a page asks who one is.
// POST /faults takes {"/path": {"status", "body", "raw", "hang", "location"}} and answers these paths that way.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const [port, clients] = [Number(process.argv[2]), JSON.parse(process.argv[3])];
const base = `http://127.0.0.1:${port}`;

const okay = { verified: true, active: true, groups: ['shop'], domain: 'example.com' };
const users = {
  ann: { ...okay, email: 'ann@example.com' },
  mallory: { ...okay, email: 'mallory@evil.example' },
  una: { ...okay, email: 'una@example.com', verified: false },
  bob: { ...okay, email: 'bob@example.com', active: false },
  carl: { ...okay, email: 'carl@example.com', groups: ['bank'], domain: undefined },
};

const shapes = {
  '/login/oauth/authorize': '/auth',
  '/oauth/authorize': '/auth',
  '/oauth/token': '/token',
  '/oauth2/v1/authorize': '/auth',
  '/oauth2/v1/token': '/token',
  '/oauth2/v1/userinfo': '/me',
  '/oauth2/v1/introspect': '/token/introspection',
  '/oauth2/v1/keys': '/jwks',
};
const inside = '/inside/token';

const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const oidc = new Provider(base, {
  clients: clients.map((client) => ({
    ...client,
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['authorization_code'],
    response_types: ['code'],
  })),
  claims: { openid: ['sub'], email: ['email', 'email_verified', 'hd'], groups: ['groups'] },
  scopes: ['openid', 'email', 'groups', 'read_user', 'read_api', 'user:email', 'read:org'],
  conformIdTokenClaims: false,
  cookies: { keys: ['of this test'] },
  jwks: { keys: [{ ...key, kid: randomUUID(), use: 'sig', alg: 'RS256' }] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false }, introspection: { enabled: true } },
  ttl: { AccessToken: 3600, AuthorizationCode: 600, Grant: 3600, IdToken: 3600, Interaction: 600, Session: 3600 },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, name) => users[name] && { accountId: name, claims: () => claims(name) },
  // Everybody consents to everything: what is tested is whether Flower asks for little, not whether people do.
  loadExistingGrant: async (ctx) => {
    const { session, client } = ctx.oidc;
    const known = session.grantIdFor(client.clientId);
    const grant =
      (known && (await oidc.Grant.find(known))) ||
      new oidc.Grant({ accountId: session.accountId, clientId: client.clientId });
    grant.addOIDCScope([...ctx.oidc.requestParamScopes].join(' '));
    await grant.save();
    return grant;
  },
});
const provider = oidc.callback();

function claims(name) {
  const { email, verified, groups, domain } = users[name];
  return { sub: name, email, email_verified: verified, groups, hd: domain };
}

// --- what the REST APIs say, for tokens that the provider knows ---

async function holder(token, ...scopes) {
  const found = token && (await oidc.AccessToken.find(token));
  const granted = new Set((found?.scope ?? '').split(' '));
  return found && (scopes.length === 0 || scopes.some((scope) => granted.has(scope))) ? found : undefined;
}

const rest = {
  '/api/v4/user': async ({ token }) => {
    const found = await holder(token, 'read_user', 'read_api');
    if (!found) return [401, { message: '401 Unauthorized' }];
    const { email, active, verified } = users[found.accountId];
    const confirmed = verified ? '2020-01-01T00:00:00.000Z' : null;
    return [200, { id: 1, username: found.accountId, email, state: active ? 'active' : 'blocked', confirmed_at: confirmed }];
  },
  '/api/v4/groups': async ({ token, query }) => {
    const found = await holder(token, 'read_api');
    if (!found) return [403, { error: 'insufficient_scope', scope: 'read_api' }];
    const many = Array.from({ length: 150 }, (_, index) => `other-${index}`);
    return paged([...many, ...users[found.accountId].groups].map((path) => ({ id: 1, full_path: path })), query);
  },
  '/oauth/token/info': async ({ token }) => {
    const found = await holder(token);
    if (!found) return [401, { error: 'invalid_token' }];
    return [200, { resource_owner_id: 1, scope: found.scope.split(' '), application: { uid: found.clientId } }];
  },
  '/api/v3/user/emails': async ({ token, query }) => {
    const found = await holder(token, 'user:email');
    if (!found) return [404, { message: 'Not Found' }];
    const { email, verified } = users[found.accountId];
    return paged([{ email: email.toUpperCase(), verified, primary: true, visibility: null }], query);
  },
  '/api/v3/user/orgs': async ({ token, query }) => {
    const found = await holder(token, 'read:org');
    if (!found) return [403, { message: 'Requires authentication' }];
    return paged(users[found.accountId].groups.map((login) => ({ login, id: 1 })), query);
  },
  '/tokeninfo': async ({ form }) => {
    const found = await holder(form.get('access_token'));
    if (!found) return [400, { error: 'invalid_token' }];
    return [200, { azp: found.clientId, aud: found.clientId, scope: found.scope, expires_in: '3599' }];
  },
};

function paged(items, query) {
  const [page, size] = [Number(query.get('page') ?? 1), Number(query.get('per_page') ?? 20)];
  const more = items.length > page * size;
  return [200, items.slice((page - 1) * size, page * size), { 'x-next-page': more ? String(page + 1) : '' }];
}

// GitHub tells an application, and nobody else, whom a token was issued to.
async function githubToken(request, clientId, body) {
  const client = clients.find((each) => each.client_id === clientId);
  const basic = Buffer.from(`${clientId}:${client?.client_secret}`).toString('base64');
  if (!client || request.headers.authorization !== `Basic ${basic}`) return [401, { message: 'Bad credentials' }];
  const found = await holder(JSON.parse(body).access_token);
  return found?.clientId === clientId ? [200, { app: { client_id: clientId } }] : [404, { message: 'Not Found' }];
}

// GitHub's errors come with status 200, and everything as a form unless JSON is asked for.
async function githubGrant(request, response, body) {
  const answer = await fetch(`${base}${inside}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  const value = await answer.json();
  if (value.error === 'invalid_grant') value.error = 'bad_verification_code';
  if (value.scope) value.scope = value.scope.replaceAll(' ', ',');
  const json = (request.headers.accept ?? '').includes('application/json');
  const type = json ? 'application/json' : 'application/x-www-form-urlencoded';
  response.writeHead(200, { 'content-type': type }).end(json ? JSON.stringify(value) : String(new URLSearchParams(value)));
}

// --- who one is ---

async function interaction(request, response, query) {
  const details = await oidc.interactionDetails(request, response);
  const name = query.get('user') ?? details.params.login_hint;
  if (!name) {
    const links = ['deny', ...Object.keys(users)].map((user) => `<p><a href="?user=${user}">${user}</a></p>`);
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<!doctype html><title>Identity provider</title><link rel="icon" href="data:,"><h1>Who are you?</h1>${links.join('')}`);
    return;
  }
  const denied = { error: 'access_denied', error_description: 'The user <b>said</b> no' };
  const result = name === 'deny' ? denied : { login: { accountId: name } };
  await oidc.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

// --- the server ---

let faults = {};

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

function fail(response, { status = 200, body, raw, hang, location }) {
  if (hang) return;
  response.writeHead(status, { 'content-type': 'application/json', ...(location && { location }) });
  response.end(raw ?? JSON.stringify(body));
}

async function serve(request, response) {
  const url = new URL(request.url, base);
  const { pathname: path, searchParams: query } = url;
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const application = /^\/api\/v3\/applications\/([^/]+)\/token$/.exec(path);
  if (path === '/faults') {
    faults = JSON.parse(await read(request));
    response.writeHead(204).end();
  } else if (faults[path]) {
    fail(response, faults[path]);
  } else if (path.startsWith('/interaction/')) {
    await interaction(request, response, query);
  } else if (path === '/login/oauth/access_token') {
    await githubGrant(request, response, await read(request));
  } else if (application || rest[path]) {
    const body = await read(request);
    const [status, value, headers] = application
      ? await githubToken(request, decodeURIComponent(application[1]), body)
      : await rest[path]({ token, query, form: new URLSearchParams(body) });
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
  } else {
    const own = path === inside ? '/token' : shapes[path];
    if (own) request.url = own + url.search;
    provider(request, response);
  }
}

createServer((request, response) => {
  serve(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end(String(error));
  });
}).listen(port, '127.0.0.1', () => console.log(`listening at ${base}`));
