//! Values with a count of references, made without fear of a full memory.
//!
//! `alloc`'s `Arc` ends the machine when memory does, and its `dyn` cannot be
//! asked for the part that all have in common. [`Counted<H, T>`] is that part, the
//! head `H`, and a body `T` in one allocation; [`Erased<H>`] is the same reference
//! with the body's type forgotten, which a checked [`downcast`](Erased::downcast)
//! brings back. The object manager's objects are these: `H` is the object header.
//!
//! **Order.** A new reference is made from one that exists, so counting up orders
//! nothing (relaxed). Counting down is a release, and the one that reaches zero
//! fences with acquire before it drops the value: all that was done through any
//! reference happened before the value's end.

use core::any::TypeId;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, offset_of};
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering, fence};

use alloc::alloc::{Layout, alloc, dealloc};

/// The references are counted in a word; so many would need more memory than there is.
const MOST_REFERENCES: usize = isize::MAX as usize;

#[repr(C)]
struct Common<H> {
    references: AtomicUsize,
    body: TypeId,
    destroy: unsafe fn(NonNull<Common<H>>),
    head: H,
}

#[repr(C)]
struct Whole<H, T> {
    common: Common<H>,
    body: T,
}

/// A reference to a head and a body of known type.
pub struct Counted<H, T> {
    erased: Erased<H>,
    _body: PhantomData<T>,
}

/// A reference to a head, and a body whose type is forgotten.
pub struct Erased<H> {
    common: NonNull<Common<H>>,
}

// SAFETY: heads and bodies are Send and Sync (`Counted::new` asks for it), and the count is atomic.
unsafe impl<H: Send + Sync> Send for Erased<H> {}
// SAFETY: as above.
unsafe impl<H: Send + Sync> Sync for Erased<H> {}

/// There was no memory; what was to be stored comes back.
#[derive(Debug)]
pub struct NoMemory<H, T>(pub H, pub T);

impl<H: Send + Sync + 'static, T: Send + Sync + 'static> Counted<H, T> {
    /// Makes the value, with one reference.
    ///
    /// # Errors
    /// [`NoMemory`], with the parts.
    pub fn new(head: H, body: T) -> Result<Self, NoMemory<H, T>> {
        let layout = Layout::new::<Whole<H, T>>();
        // SAFETY: the layout is not empty: it has the count.
        let pointer = unsafe { alloc(layout) }.cast::<Whole<H, T>>();
        let Some(whole) = NonNull::new(pointer) else {
            return Err(NoMemory(head, body));
        };
        let common = Common {
            references: AtomicUsize::new(1),
            body: TypeId::of::<T>(),
            destroy: destroy::<H, T>,
            head,
        };
        // Each part for itself: a whole that is put together first is copied once more.
        // SAFETY: freshly allocated with the layout of a `Whole<H, T>`, which begins with this.
        unsafe { whole.cast::<Common<H>>().write(common) };
        let place = pointer.wrapping_byte_add(offset_of!(Whole<H, T>, body));
        // SAFETY: freshly allocated with the layout of a `Whole<H, T>`, which has its body there.
        unsafe { place.cast::<T>().write(body) };
        Ok(Self {
            erased: Erased {
                common: whole.cast(),
            },
            _body: PhantomData,
        })
    }
}

/// Drops the whole and gives its memory back.
///
/// # Safety
/// `common` is the start of a `Whole<H, T>` to which no reference is left.
unsafe fn destroy<H, T>(common: NonNull<Common<H>>) {
    let whole = common.cast::<Whole<H, T>>();
    // SAFETY: the caller's promise.
    unsafe { whole.drop_in_place() };
    // SAFETY: it was allocated with this layout.
    unsafe { dealloc(whole.as_ptr().cast(), Layout::new::<Whole<H, T>>()) };
}

impl<H, T> Counted<H, T> {
    /// The head.
    pub fn head(this: &Self) -> &H {
        this.erased.head()
    }

    /// The same reference, with the body's type forgotten.
    pub fn erase(this: Self) -> Erased<H> {
        this.erased
    }

    /// The same, borrowed.
    pub fn as_erased(this: &Self) -> &Erased<H> {
        &this.erased
    }

    /// Gives this reference up. If it was the last, `take` may take something out of the body before it is dropped: what
    /// a long chain of values needs to end without one drop inside another.
    pub fn give_up<R>(this: Self, take: impl FnOnce(&mut T) -> R) -> Option<R> {
        let erased = ManuallyDrop::new(this.erased);
        if erased.count().fetch_sub(1, Ordering::Release) != 1 {
            return None;
        }
        fence(Ordering::Acquire);
        let mut whole = erased.common.cast::<Whole<H, T>>();
        // SAFETY: the body has this type, see `deref`; it was the last reference, so nobody else has the body.
        let taken = take(unsafe { &mut whole.as_mut().body });
        // SAFETY: it was the last reference to a `Whole<H, T>`.
        unsafe { destroy::<H, T>(erased.common) };
        Some(taken)
    }
}

impl<H, T> Clone for Counted<H, T> {
    fn clone(&self) -> Self {
        Self {
            erased: self.erased.clone(),
            _body: PhantomData,
        }
    }
}

impl<H, T> Deref for Counted<H, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        let whole = self.erased.common.cast::<Whole<H, T>>();
        // SAFETY: a `Counted<H, T>` is made by `new` and `downcast` alone, so the body has this type; this reference keeps it.
        unsafe { &whole.as_ref().body }
    }
}

impl<H> Erased<H> {
    /// The head.
    #[inline]
    pub fn head(&self) -> &H {
        // SAFETY: this reference keeps the value.
        unsafe { &self.common.as_ref().head }
    }

    /// The reference with the body's type, if it is that type.
    ///
    /// # Errors
    /// This reference, if the body is another type.
    pub fn downcast<T: 'static>(self) -> Result<Counted<H, T>, Self> {
        if self.is::<T>() {
            Ok(Counted {
                erased: self,
                _body: PhantomData,
            })
        } else {
            Err(self)
        }
    }

    /// The body, if it is of that type.
    #[inline]
    pub fn body<T: 'static>(&self) -> Option<&T> {
        if !self.is::<T>() {
            return None;
        }
        let whole = self.common.cast::<Whole<H, T>>();
        // SAFETY: the body has this type, as was just seen; this reference keeps it.
        Some(unsafe { &whole.as_ref().body })
    }

    /// Whether the body is of that type.
    #[inline]
    pub fn is<T: 'static>(&self) -> bool {
        // SAFETY: this reference keeps the value.
        let body = unsafe { &self.common.as_ref().body };
        *body == TypeId::of::<T>()
    }

    /// Whether both are references to one value.
    pub fn same(&self, other: &Self) -> bool {
        self.common == other.common
    }

    /// A number that no other living value has: its address.
    pub fn address(&self) -> usize {
        self.common.addr().get()
    }

    /// How many references there are; old by the time it is read, unless the caller knows who has them.
    pub fn references(&self) -> usize {
        self.count().load(Ordering::Relaxed)
    }

    fn count(&self) -> &AtomicUsize {
        // SAFETY: this reference keeps the value.
        unsafe { &self.common.as_ref().references }
    }
}

impl<H> Clone for Erased<H> {
    #[inline]
    fn clone(&self) -> Self {
        let before = self.count().fetch_add(1, Ordering::Relaxed);
        assert!(
            before < MOST_REFERENCES,
            "more references than memory can hold"
        );
        Self {
            common: self.common,
        }
    }
}

impl<H> Drop for Erased<H> {
    #[inline]
    fn drop(&mut self) {
        if self.count().fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        fence(Ordering::Acquire);
        // SAFETY: the value is alive until `destroy` below, since this was its last reference.
        let destroy = unsafe { self.common.as_ref().destroy };
        // SAFETY: it was the last reference, and `destroy` was stored with the value's own types.
        unsafe { destroy(self.common) };
    }
}

impl<H, T: fmt::Debug> fmt::Debug for Counted<H, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<H> fmt::Debug for Erased<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Erased({:#x})", self.address())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[derive(Debug)]
    struct Witness(Arc<AtomicU32>);

    impl Drop for Witness {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn the_last_reference_drops_head_and_body_once() {
        let drops = Arc::new(AtomicU32::new(0));
        let one = Counted::new(Witness(drops.clone()), Witness(drops.clone())).expect("memory");
        let erased = Counted::erase(one.clone());
        let again = erased.clone().downcast::<Witness>().expect("its type");
        assert!(erased.same(Counted::as_erased(&again)));
        assert_eq!(erased.references(), 3);
        drop((one, again));
        assert_eq!(drops.load(Ordering::SeqCst), 0);
        drop(erased);
        assert_eq!(drops.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn only_the_last_reference_gives_up_its_body() {
        let drops = Arc::new(AtomicU32::new(0));
        let one = Counted::new(Witness(drops.clone()), Some(Witness(drops.clone())));
        let one = one.expect("memory");
        let other = one.clone();
        assert!(Counted::give_up(one, Option::take).is_none());
        assert_eq!(drops.load(Ordering::SeqCst), 0);
        let taken = Counted::give_up(other, Option::take).expect("the last");
        assert_eq!(drops.load(Ordering::SeqCst), 1, "the head went");
        drop(taken);
        assert_eq!(drops.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn another_type_is_refused_and_the_reference_comes_back() {
        let erased = Counted::erase(Counted::new(7u8, 9u64).expect("memory"));
        assert_eq!(*erased.head(), 7);
        assert_eq!(erased.body::<u64>(), Some(&9));
        assert_eq!(erased.body::<i64>(), None);
        let erased = erased.downcast::<i64>().expect_err("not its type");
        assert_eq!(erased.references(), 1);
    }

    #[test]
    fn threads_may_count_at_once() {
        let drops = Arc::new(AtomicU32::new(0));
        let value = Counted::new((), Witness(drops.clone())).expect("memory");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mine = value.clone();
                scope.spawn(move || {
                    for _ in 0..10_000 {
                        drop(mine.clone());
                    }
                });
            }
        });
        assert_eq!(Counted::as_erased(&value).references(), 1);
        drop(value);
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    }
}
