/* Thread pools as Win32 has them: work, timers, waits, groups, what callbacks ask for on their return, and the older
   functions. Counts are exact; of times only what came too early would be wrong. */
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "checks.h"

/* Long enough for anything that is to happen, so that a defect ends the program. */
#define LONG_ENOUGH 60000

static volatile LONG count, other;

static LONG add(volatile LONG *to, LONG amount) { return __atomic_add_fetch(to, amount, __ATOMIC_SEQ_CST); }
static LONG read_count(volatile LONG *from) { return __atomic_load_n(from, __ATOMIC_SEQ_CST); }
static HANDLE event(void) { return CreateEventW(NULL, FALSE, FALSE, NULL); }
static int is_set(HANDLE object) { return WaitForSingleObject(object, LONG_ENOUGH) == WAIT_OBJECT_0; }
static int is_not_set(HANDLE object) { return WaitForSingleObject(object, 0) == WAIT_TIMEOUT; }

/* A time from now, as pools take it. */
static FILETIME *in_milliseconds(LONGLONG milliseconds) {
    static FILETIME time;
    LONGLONG units = milliseconds * -10000;
    memcpy(&time, &units, sizeof time);
    return &time;
}

static VOID NTAPI counting_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work) {
    (void)instance, (void)work;
    add(context, 1);
}

static VOID NTAPI slow_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work) {
    (void)instance, (void)work;
    Sleep(1);
    add(context, 1);
}

static VOID NTAPI counting_simple(PTP_CALLBACK_INSTANCE instance, PVOID context) {
    (void)instance;
    add(context, 1);
}

static void work_runs_as_often_as_it_is_posted(void) {
    count = 0;
    PTP_WORK work = CreateThreadpoolWork(counting_work, (PVOID)&count, NULL);
    check(work != NULL, "work is made");
    for (int i = 0; i < 2000; i++)
        SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    check(read_count(&count) == 2000, "2000 callbacks ran for 2000 posts");
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    check(read_count(&count) == 2000, "a wait for nothing returns");
    CloseThreadpoolWork(work);
}

static DWORD WINAPI posting_thread(LPVOID work) {
    for (int i = 0; i < 500; i++)
        SubmitThreadpoolWork(work);
    return 0;
}

static void eight_threads_post(void) {
    HANDLE threads[8];
    count = 0;
    PTP_WORK work = CreateThreadpoolWork(counting_work, (PVOID)&count, NULL);
    for (int i = 0; i < 8; i++)
        threads[i] = CreateThread(NULL, 0, posting_thread, work, 0, NULL);
    WaitForMultipleObjects(8, threads, TRUE, INFINITE);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    check(read_count(&count) == 4000, "8 threads post 500 times each");
    for (int i = 0; i < 8; i++)
        CloseHandle(threads[i]);
    CloseThreadpoolWork(work);
}

static void cancelled_work(void) {
    count = 0;
    PTP_POOL pool = CreateThreadpool(NULL);
    SetThreadpoolThreadMaximum(pool, 1);
    TP_CALLBACK_ENVIRON environment;
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    PTP_WORK work = CreateThreadpoolWork(slow_work, (PVOID)&count, &environment);
    for (int i = 0; i < 1000; i++)
        SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, TRUE);
    LONG ran = read_count(&count);
    check(ran < 1000, "callbacks that have not begun are cancelled");
    Sleep(20);
    check(read_count(&count) == ran, "none runs after the wait");
    SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    check(read_count(&count) == ran + 1, "the work can be posted again");
    CloseThreadpoolWork(work);
    CloseThreadpool(pool);
}

static void simple_callbacks(void) {
    count = 0;
    int all = 1;
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    TP_CALLBACK_ENVIRON environment;
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackCleanupGroup(&environment, group, NULL);
    for (int i = 0; i < 300; i++)
        all &= TrySubmitThreadpoolCallback(counting_simple, (PVOID)&count, &environment);
    CloseThreadpoolCleanupGroupMembers(group, FALSE, NULL);
    check(all && read_count(&count) == 300, "a group is waited for: 300 single callbacks ran");
    CloseThreadpoolCleanupGroup(group);
}

/* Work that a pool of several threads can only end together. */
static HANDLE all_are_here;
static VOID NTAPI meeting_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work) {
    (void)instance, (void)context, (void)work;
    if (add(&count, 1) == 6)
        SetEvent(all_are_here);
    if (WaitForSingleObject(all_are_here, LONG_ENOUGH) == WAIT_OBJECT_0)
        add(&other, 1);
}

static void callbacks_wait_for_one_another(void) {
    count = other = 0;
    all_are_here = CreateEventW(NULL, TRUE, FALSE, NULL);
    PTP_POOL pool = CreateThreadpool(NULL);
    check(SetThreadpoolThreadMinimum(pool, 2), "a pool has two threads at least");
    SetThreadpoolThreadMaximum(pool, 8);
    TP_CALLBACK_ENVIRON environment;
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    PTP_WORK work = CreateThreadpoolWork(meeting_work, NULL, &environment);
    for (int i = 0; i < 6; i++)
        SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    check(count == 6 && other == 6, "six callbacks that wait for each other get a thread each");
    CloseThreadpoolWork(work);
    CloseThreadpool(pool);
    CloseHandle(all_are_here);
}

/* How many run at once, and whether that was ever more than allowed. */
static VOID NTAPI crowding_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work) {
    (void)instance, (void)work;
    if (add(&other, 1) > (LONG)(LONG_PTR)context)
        add(&count, 1000000);
    Sleep(1);
    add(&other, -1);
    add(&count, 1);
}

static void no_more_than_the_maximum(void) {
    count = other = 0;
    PTP_POOL pool = CreateThreadpool(NULL);
    SetThreadpoolThreadMaximum(pool, 3);
    TP_CALLBACK_ENVIRON environment;
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    PTP_WORK work = CreateThreadpoolWork(crowding_work, (PVOID)3, &environment);
    for (int i = 0; i < 60; i++)
        SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    check(count == 60, "never more callbacks run at once than the pool's maximum");
    CloseThreadpoolWork(work);
    CloseThreadpool(pool);
}

static void stacks_of_a_pool(void) {
    PTP_POOL pool = CreateThreadpool(NULL);
    TP_POOL_STACK_INFORMATION stack = {0x80000, 0x4000}, found = {0, 0};
    check(SetThreadpoolStackInformation(pool, &stack), "a pool's stacks are set");
    check(QueryThreadpoolStackInformation(pool, &found) && found.StackReserve == 0x80000 && found.StackCommit == 0x4000,
          "and told");
    CloseThreadpool(pool);
}

static char order[8];
static VOID NTAPI noting_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work) {
    (void)instance, (void)work;
    order[add(&count, 1) - 1] = *(char *)context;
}

static HANDLE gate;
static VOID NTAPI gated_simple(PTP_CALLBACK_INSTANCE instance, PVOID context) {
    (void)instance;
    SetEvent(context);
    WaitForSingleObject(gate, LONG_ENOUGH);
}

static void priorities(void) {
    static char high = 'h', normal = 'n', low = 'l';
    count = 0;
    gate = event();
    HANDLE begun = event();
    PTP_POOL pool = CreateThreadpool(NULL);
    SetThreadpoolThreadMaximum(pool, 1);
    TP_CALLBACK_ENVIRON environment;
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    TrySubmitThreadpoolCallback(gated_simple, begun, &environment);
    check(is_set(begun), "the pool's only thread is at something");
    SetThreadpoolCallbackPriority(&environment, TP_CALLBACK_PRIORITY_LOW);
    PTP_WORK low_work = CreateThreadpoolWork(noting_work, &low, &environment);
    SetThreadpoolCallbackPriority(&environment, TP_CALLBACK_PRIORITY_NORMAL);
    PTP_WORK normal_work = CreateThreadpoolWork(noting_work, &normal, &environment);
    SetThreadpoolCallbackPriority(&environment, TP_CALLBACK_PRIORITY_HIGH);
    PTP_WORK high_work = CreateThreadpoolWork(noting_work, &high, &environment);
    SubmitThreadpoolWork(low_work);
    SubmitThreadpoolWork(normal_work);
    SubmitThreadpoolWork(high_work);
    SetEvent(gate);
    WaitForThreadpoolWorkCallbacks(low_work, FALSE);
    WaitForThreadpoolWorkCallbacks(normal_work, FALSE);
    WaitForThreadpoolWorkCallbacks(high_work, FALSE);
    check(strcmp(order, "hnl") == 0, "what is more urgent runs first");
    CloseThreadpoolWork(low_work);
    CloseThreadpoolWork(normal_work);
    CloseThreadpoolWork(high_work);
    CloseThreadpool(pool);
    CloseHandle(begun);
    CloseHandle(gate);
}

static VOID NTAPI on_cancel(PVOID object_context, PVOID cleanup_context) {
    add(object_context, 1);
    add(cleanup_context, 1);
}

static VOID NTAPI finalizing(PTP_CALLBACK_INSTANCE instance, PVOID context) {
    (void)instance;
    add(context, 100);
}

static void a_group_cancels(void) {
    static volatile LONG of_work, of_cleanup;
    HANDLE begun = event();
    of_work = of_cleanup = 0;
    gate = event();
    PTP_POOL pool = CreateThreadpool(NULL);
    SetThreadpoolThreadMaximum(pool, 1);
    PTP_CLEANUP_GROUP group = CreateThreadpoolCleanupGroup();
    TP_CALLBACK_ENVIRON environment;
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    TrySubmitThreadpoolCallback(gated_simple, begun, &environment);
    is_set(begun);
    SetThreadpoolCallbackCleanupGroup(&environment, group, on_cancel);
    PTP_WORK work = CreateThreadpoolWork(counting_work, (PVOID)&of_work, &environment);
    SubmitThreadpoolWork(work);
    SubmitThreadpoolWork(work);
    CloseThreadpoolCleanupGroupMembers(group, TRUE, (PVOID)&of_cleanup);
    check(of_work == 1 && of_cleanup == 1, "the cancel callback is called once, and the work's not at all");
    SetEvent(gate);
    CloseThreadpoolCleanupGroup(group);
    CloseThreadpool(pool);
    CloseHandle(begun);
    CloseHandle(gate);
}

static void finalization(void) {
    count = 0;
    TP_CALLBACK_ENVIRON environment;
    InitializeThreadpoolEnvironment(&environment);
    environment.FinalizationCallback = finalizing;
    PTP_WORK work = CreateThreadpoolWork(counting_work, (PVOID)&count, &environment);
    SubmitThreadpoolWork(work);
    SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    check(count == 202, "each callback is followed by the finalization callback");
    CloseThreadpoolWork(work);
}

/* What a callback asks for on its return. */
static CRITICAL_SECTION section;
static HANDLE asked_event, asked_mutex, asked_semaphore, about_to_return;

static VOID NTAPI asking_simple(PTP_CALLBACK_INSTANCE instance, PVOID context) {
    (void)context;
    EnterCriticalSection(&section);
    WaitForSingleObject(asked_mutex, INFINITE);
    LeaveCriticalSectionWhenCallbackReturns(instance, &section);
    ReleaseMutexWhenCallbackReturns(instance, asked_mutex);
    ReleaseSemaphoreWhenCallbackReturns(instance, asked_semaphore, 3);
    SetEventWhenCallbackReturns(instance, asked_event);
    check(is_not_set(asked_event) && is_not_set(asked_semaphore), "nothing is done before the callback returns");
    check(CallbackMayRunLong(instance), "a callback may run long");
}

static void what_callbacks_ask_for(void) {
    InitializeCriticalSection(&section);
    asked_event = event();
    asked_mutex = CreateMutexW(NULL, FALSE, NULL);
    asked_semaphore = CreateSemaphoreW(NULL, 0, 5, NULL);
    TrySubmitThreadpoolCallback(asking_simple, NULL, NULL);
    check(is_set(asked_event), "the event is set when the callback has returned");
    check(is_set(asked_mutex), "the mutex was released");
    LONG before = 0;
    ReleaseSemaphore(asked_semaphore, 1, &before);
    check(before == 3, "the semaphore was released three times");
    EnterCriticalSection(&section);
    LeaveCriticalSection(&section);
    check(1, "the critical section was left");
    ReleaseMutex(asked_mutex);
    CloseHandle(asked_event);
    CloseHandle(asked_mutex);
    CloseHandle(asked_semaphore);
    DeleteCriticalSection(&section);
}

static VOID NTAPI leaving_work(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work) {
    (void)context, (void)work;
    DisassociateCurrentThreadFromCallback(instance);
    SetEvent(about_to_return);
    WaitForSingleObject(gate, LONG_ENOUGH);
    add(&count, 1);
    SetEvent(asked_event);
}

static void a_callback_that_is_not_waited_for(void) {
    count = 0;
    gate = event();
    about_to_return = event();
    asked_event = event();
    PTP_WORK work = CreateThreadpoolWork(leaving_work, NULL, NULL);
    SubmitThreadpoolWork(work);
    is_set(about_to_return);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    check(read_count(&count) == 0, "who has disassociated itself is not waited for");
    SetEvent(gate);
    check(is_set(asked_event) && read_count(&count) == 1, "and runs to its end");
    CloseThreadpoolWork(work);
    CloseHandle(gate);
    CloseHandle(about_to_return);
    CloseHandle(asked_event);
}

static VOID NTAPI timer_callback(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer) {
    (void)instance, (void)timer;
    add(&count, 1);
    SetEvent(context);
}

static void timers(void) {
    HANDLE came = event();
    count = 0;
    PTP_TIMER timer = CreateThreadpoolTimer(timer_callback, came, NULL);
    check(!IsThreadpoolTimerSet(timer), "a new timer is not set");
    ULONGLONG begun = GetTickCount64();
    SetThreadpoolTimer(timer, in_milliseconds(50), 0, 0);
    check(IsThreadpoolTimerSet(timer), "it is set");
    check(is_set(came), "it comes");
    /* The tick count moves in steps of up to 16 ms. */
    check(GetTickCount64() - begun >= 50 - 16, "and not before its time");
    WaitForThreadpoolTimerCallbacks(timer, FALSE);
    check(count == 1, "once");
    SetThreadpoolTimer(timer, in_milliseconds(0), 0, 0);
    check(is_set(came), "a timer of no time comes at once");
    SetThreadpoolTimer(timer, in_milliseconds(3600000), 0, 0);
    check(SetThreadpoolTimerEx(timer, NULL, 0, 0), "taking back a timer that has not come says so");
    check(!IsThreadpoolTimerSet(timer), "it is not set any more");
    check(!SetThreadpoolTimerEx(timer, NULL, 0, 0), "and cannot be taken back again");
    count = 0;
    SetThreadpoolTimer(timer, in_milliseconds(1), 5, 0);
    for (int i = 0; i < 4; i++)
        is_set(came);
    SetThreadpoolTimer(timer, NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(timer, TRUE);
    LONG then = read_count(&count);
    check(then >= 4, "a timer with a period comes again and again");
    Sleep(30);
    check(read_count(&count) == then, "until it is taken back");
    CloseThreadpoolTimer(timer);
    CloseHandle(came);
}

static VOID NTAPI ordered_timer(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer) {
    (void)instance, (void)timer;
    LONG place = add(&count, 1) - 1;
    order[place] = *(char *)context;
    if (place == 2)
        SetEvent(about_to_return);
}

static void timers_come_in_order(void) {
    static char names[] = "abc";
    static const int due[] = {120, 20, 70};
    PTP_TIMER set[3];
    memset(order, 0, sizeof order);
    count = 0;
    about_to_return = event();
    PTP_POOL pool = CreateThreadpool(NULL);
    SetThreadpoolThreadMaximum(pool, 1);
    TP_CALLBACK_ENVIRON environment;
    InitializeThreadpoolEnvironment(&environment);
    SetThreadpoolCallbackPool(&environment, pool);
    for (int i = 0; i < 3; i++) {
        set[i] = CreateThreadpoolTimer(ordered_timer, &names[i], &environment);
        SetThreadpoolTimer(set[i], in_milliseconds(due[i]), 0, 0);
    }
    is_set(about_to_return);
    check(strcmp(order, "bca") == 0, "timers come in the order of their times");
    for (int i = 0; i < 3; i++)
        CloseThreadpoolTimer(set[i]);
    CloseThreadpool(pool);
    CloseHandle(about_to_return);
}

static volatile TP_WAIT_RESULT last_result;
static VOID NTAPI wait_callback(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT wait, TP_WAIT_RESULT result) {
    (void)instance, (void)wait;
    last_result = result;
    add(&count, 1);
    SetEvent(context);
}

static void waits(void) {
    HANDLE came = event(), object = event();
    count = 0;
    PTP_WAIT wait = CreateThreadpoolWait(wait_callback, came, NULL);
    SetThreadpoolWait(wait, object, NULL);
    check(is_not_set(came), "nothing comes before the object is signalled");
    SetEvent(object);
    check(is_set(came) && last_result == WAIT_OBJECT_0, "a wait ends when its object is signalled");
    SetEvent(object);
    Sleep(20);
    check(count == 1, "one callback for one wait");
    SetThreadpoolWait(wait, object, NULL);
    check(is_set(came) && count == 2, "an object that is signalled already ends it at once");
    SetThreadpoolWait(wait, object, in_milliseconds(20));
    check(is_set(came) && last_result == WAIT_TIMEOUT, "a wait whose time is over says so");
    SetThreadpoolWait(wait, object, NULL);
    check(SetThreadpoolWaitEx(wait, NULL, NULL, NULL), "a wait that is taken back says so");
    SetEvent(object);
    WaitForThreadpoolWaitCallbacks(wait, FALSE);
    check(count == 3 && is_set(object), "and takes no signal");
    CloseThreadpoolWait(wait);
    CloseHandle(came);
    CloseHandle(object);
}

#define MANY 150
static void many_waits(void) {
    static HANDLE objects[MANY];
    static PTP_WAIT set[MANY];
    HANDLE came = event();
    count = 0;
    for (int i = 0; i < MANY; i++) {
        objects[i] = event();
        set[i] = CreateThreadpoolWait(wait_callback, came, NULL);
        SetThreadpoolWait(set[i], objects[i], NULL);
    }
    for (int i = 0; i < MANY; i++)
        SetEvent(objects[(i * 7) % MANY]);
    while (read_count(&count) < MANY && is_set(came))
        ;
    check(read_count(&count) == MANY, "150 waits end, more than one thread can wait for");
    for (int i = 0; i < MANY; i++) {
        CloseThreadpoolWait(set[i]);
        CloseHandle(objects[i]);
    }
    CloseHandle(came);
}

static DWORD WINAPI work_item(LPVOID context) {
    if (add(&count, 1) == 100)
        SetEvent(context);
    return 7;
}

static void work_items(void) {
    HANDLE done = event();
    count = 0;
    int all = 1;
    for (int i = 0; i < 100; i++)
        all &= QueueUserWorkItem(work_item, done, i & 1 ? WT_EXECUTELONGFUNCTION : WT_EXECUTEDEFAULT);
    check(all && is_set(done) && count == 100, "100 work items run");
    CloseHandle(done);
}

static VOID CALLBACK registered(PVOID context, BOOLEAN timed_out) {
    add(timed_out ? &other : &count, 1);
    SetEvent(context);
}

static void registered_waits(void) {
    HANDLE came = event(), object = event(), wait = NULL;
    count = other = 0;
    check(RegisterWaitForSingleObject(&wait, object, registered, came, INFINITE, WT_EXECUTEDEFAULT), "a wait is registered");
    for (int i = 0; i < 3; i++) {
        SetEvent(object);
        is_set(came);
    }
    check(count == 3 && other == 0, "it comes each time its object is signalled");
    check(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE), "it is ended, and its callbacks are");
    SetEvent(object);
    check(is_set(object) && count == 3, "nothing waits for the object any more");
    check(RegisterWaitForSingleObject(&wait, object, registered, came, 10, WT_EXECUTEONLYONCE), "one that comes once");
    is_set(came);
    check(count == 3 && other == 1, "it says that its time was over");
    HANDLE ended = event();
    BOOL at_once = UnregisterWaitEx(wait, ended);
    check((at_once || GetLastError() == 997) && is_set(ended), "an event says that a wait has ended");
    CloseHandle(ended);
    CloseHandle(came);
    CloseHandle(object);
}

static void timer_queues(void) {
    HANDLE came = event(), queue = CreateTimerQueue(), timer = NULL, again = NULL;
    count = other = 0;
    check(queue != NULL, "a timer queue is made");
    check(CreateTimerQueueTimer(&timer, queue, registered, came, 5, 0, WT_EXECUTEDEFAULT), "a timer that comes once");
    check(is_set(came) && other == 1 && count == 0, "it comes, and says that a time was over");
    check(DeleteTimerQueueTimer(queue, timer, INVALID_HANDLE_VALUE), "it is deleted");
    check(CreateTimerQueueTimer(&again, queue, registered, came, 5, 5, WT_EXECUTEINTIMERTHREAD), "one that comes again");
    for (int i = 0; i < 4; i++)
        is_set(came);
    check(ChangeTimerQueueTimer(queue, again, 3600000, 0), "its times are changed");
    check(CreateTimerQueueTimer(&timer, NULL, registered, came, 1, 0, WT_EXECUTEONLYONCE), "one of the process's own queue");
    is_set(came);
    check(DeleteTimerQueueTimer(NULL, timer, INVALID_HANDLE_VALUE), "it is deleted too");
    check(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE), "the queue goes with its timers");
    LONG then = read_count(&other);
    check(then >= 6, "each came");
    Sleep(30);
    check(read_count(&other) == then, "and none comes afterwards");
    CloseHandle(came);
}

static void completion_ports(void) {
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    check(port != NULL, "a completion port is made");
    int good = 1;
    for (ULONG_PTR i = 0; i < 10; i++)
        good &= PostQueuedCompletionStatus(port, (DWORD)i * 3, i, (LPVOID)(i * 16));
    for (ULONG_PTR i = 0; i < 10; i++) {
        DWORD bytes = 0;
        ULONG_PTR key = 99;
        LPVOID overlapped = NULL;
        good &= GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 0);
        good &= bytes == i * 3 && key == i && overlapped == (LPVOID)(i * 16);
    }
    check(good, "packets come out in the order they went in");
    DWORD bytes;
    ULONG_PTR key;
    LPVOID overlapped = &key;
    SetLastError(0);
    check(!GetQueuedCompletionStatus(port, &bytes, &key, &overlapped, 1) && GetLastError() == WAIT_TIMEOUT && !overlapped,
          "an empty port says that the time is over");
    CloseHandle(port);
}

int main(void) {
    work_runs_as_often_as_it_is_posted();
    eight_threads_post();
    cancelled_work();
    simple_callbacks();
    callbacks_wait_for_one_another();
    no_more_than_the_maximum();
    stacks_of_a_pool();
    priorities();
    a_group_cancels();
    finalization();
    what_callbacks_ask_for();
    a_callback_that_is_not_waited_for();
    timers();
    timers_come_in_order();
    waits();
    many_waits();
    work_items();
    registered_waits();
    timer_queues();
    completion_ports();
    return finish();
}
