//! Tokens as objects: what processes, threads and handles refer to.
//!
//! A token changes seldom and is looked at with every open. So what it says is a snapshot that never changes
//! ([`TokenState`]): whoever looks takes a reference to it and needs no lock meanwhile, and whoever changes the token makes
//! a new snapshot and puts it in the old one's place. All who share the object see the change with their next look.
//!
//! # NT
//! `TOKEN`, `SeTokenObjectType`; there the token's own lock is held while it is looked at.

use arch::counted::Counted;
use ke::SpinLock;
use nt_abi::access::{AccessMask, GenericMapping};
use nt_abi::security::{ImpersonationLevel, Luid, Privilege};
use nt_abi::{NtResult, NtStatus};
use ob::quota::object_size;
use ob::{
    CreateParameters, DefaultDescriptors, Object, ObjectBody, ObjectType, Subject, TypeDescription,
};
use se::{Scope, SubjectContext, Token, TokenKind};

/// A token, shared by those who act with it and those who have handles to it.
pub type SharedToken = Object<TokenBody>;
/// What a token says at one moment, and the descriptors that follow from just that.
pub type TokenState = Counted<DefaultDescriptors, Token>;

/// Bytes that a token is charged for what is of no fixed size in it: its default list, groups, privileges.
///
/// # NT
/// What `NtCreateToken` charges at least.
const DYNAMIC_CHARGE: usize = 500;

/// The type of tokens.
///
/// # NT
/// `SeTokenObjectType`.
#[doc(alias = "SeTokenObjectType")]
pub static TOKEN: ObjectType = ObjectType::new(TypeDescription {
    name: "Token",
    mapping: GenericMapping {
        generic_read: AccessMask::STANDARD_RIGHTS_READ
            .union(AccessMask::TOKEN_DUPLICATE)
            .union(AccessMask::TOKEN_QUERY)
            .union(AccessMask::TOKEN_QUERY_SOURCE),
        generic_write: AccessMask::STANDARD_RIGHTS_WRITE
            .union(AccessMask::TOKEN_ADJUST_PRIVILEGES)
            .union(AccessMask::TOKEN_ADJUST_GROUPS)
            .union(AccessMask::TOKEN_ADJUST_DEFAULT)
            .union(AccessMask::TOKEN_ADJUST_SESSIONID),
        generic_execute: AccessMask::STANDARD_RIGHTS_EXECUTE
            .union(AccessMask::TOKEN_ASSIGN_PRIMARY)
            .union(AccessMask::TOKEN_IMPERSONATE),
        generic_all: AccessMask::TOKEN_ALL_ACCESS,
    },
    valid_access: AccessMask::TOKEN_ALL_ACCESS,
    security_required: true,
    paged_charge: object_size::<TokenBody>(DYNAMIC_CHARGE),
    ..TypeDescription::PLAIN
});

/// A token's body.
pub struct TokenBody {
    state: SpinLock<TokenState>,
}

impl ObjectBody for TokenBody {
    fn kind() -> &'static ObjectType {
        &TOKEN
    }
}

fn share(token: Token) -> NtResult<TokenState> {
    Counted::new(DefaultDescriptors::new(), token).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
}

/// A new token's id, or what marks a change of one.
pub fn next_id() -> Luid {
    let [a, b, c, d, e, f, g, h] = ex::identifier::allocate_luid().to_le_bytes();
    Luid {
        low: u32::from_le_bytes([a, b, c, d]),
        high: i32::from_le_bytes([e, f, g, h]),
    }
}

impl TokenBody {
    /// A body that says what `token` says.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn new(token: Token) -> NtResult<Self> {
        Ok(Self {
            state: SpinLock::new(share(token)?),
        })
    }

    /// A token that the kernel makes, and whose descriptor is the one that it gives to what it makes itself.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`.
    pub fn create(token: Token) -> NtResult<SharedToken> {
        let body = Self::new(token)?;
        let state = body.state();
        let subject = Subject::kernel_as(SubjectContext {
            primary: &state,
            client: None,
        });
        let parameters = CreateParameters {
            subject,
            ..CreateParameters::KERNEL
        };
        Ok(ob::create(body, &parameters)?.into_object())
    }

    /// A primary token that says what another one says: what a new process acts with.
    ///
    /// # NT
    /// `SeSubProcessToken`.
    ///
    /// # Errors
    /// `BAD_TOKEN_TYPE` for an impersonation token that is not above Identification; `INSUFFICIENT_RESOURCES`.
    #[doc(alias = "SeSubProcessToken")]
    pub fn create_primary_of(from: &SharedToken) -> NtResult<SharedToken> {
        let state = from.state();
        Self::create(state.duplicate(TokenKind::Primary, Scope::All, next_id())?)
    }

    /// What it says now.
    pub fn state(&self) -> TokenState {
        self.state.acquire().clone()
    }

    /// Changes what it says. If somebody else changed it meanwhile, `change` is asked again about what it says then.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES`; those of `change`, and the token is then as it was.
    pub fn change<R>(&self, mut change: impl FnMut(&mut Token) -> NtResult<R>) -> NtResult<R> {
        loop {
            let before = self.state();
            let mut changed = before.copy_for_change()?;
            let result = change(&mut changed)?;
            let changed = share(changed)?;
            // Whichever is not needed is dropped after the lock is free.
            let replaced = {
                let mut state = self.state.acquire();
                if Counted::as_erased(&*state).same(Counted::as_erased(&before)) {
                    Ok(core::mem::replace(&mut *state, changed))
                } else {
                    Err(changed)
                }
            };
            if replaced.is_ok() {
                return Ok(result);
            }
        }
    }
}

/// The token with which a thread of a process acts that is given `token`: that one, or a copy for looking alone if the
/// process may not act with it.
///
/// # Errors
/// `BAD_TOKEN_TYPE` for a primary token; `INSUFFICIENT_RESOURCES`.
pub(crate) fn for_impersonation(process: &Token, token: SharedToken) -> NtResult<SharedToken> {
    let state = token.state();
    if state.kind() == TokenKind::Primary {
        return Err(NtStatus::BAD_TOKEN_TYPE);
    }
    if se::may_impersonate(process, &state) {
        return Ok(token);
    }
    let level = TokenKind::Impersonation(ImpersonationLevel::IDENTIFICATION);
    TokenBody::create(state.duplicate(level, Scope::All, next_id())?)
}

/// Whether a subject may make `token` the primary token of a process whose parent acts with `current`: with
/// `SeAssignPrimaryTokenPrivilege` any, without it one that was made from its own by restricting it.
///
/// # NT
/// `SeIsTokenAssignableToProcess`.
///
/// # Errors
/// `PRIVILEGE_NOT_HELD`.
#[doc(alias = "SeIsTokenAssignableToProcess")]
pub fn check_assignable(
    token: &SharedToken,
    current: &SharedToken,
    subject: &Subject<'_>,
) -> NtResult {
    let (token, current) = (token.state(), current.state());
    if subject.has_privilege(Privilege::ASSIGN_PRIMARY_TOKEN)
        || token.parent_token_id() == current.token_id()
    {
        Ok(())
    } else {
        Err(NtStatus::PRIVILEGE_NOT_HELD)
    }
}
